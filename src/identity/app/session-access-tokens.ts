import { AccessTokens } from '../../http/auth-guard.js';
import type { CallerIdentity } from '../../http/request-context.js';
import type { Revocations } from './revocations.js';
import { invalidToken, type Tokens } from './tokens.js';

/** Access tokens are valid until they expire or their session is revoked. No SQL statement per request. */
export class SessionAccessTokens extends AccessTokens {
  constructor(
    private readonly tokens: Tokens,
    private readonly revocations: Revocations,
  ) {
    super();
  }

  async verify(token: string): Promise<CallerIdentity> {
    const { sub, sid, adm } = this.tokens.readAccess(token);
    if (await this.revocations.isRevoked(sid)) throw invalidToken();
    return { userId: sub, sessionId: sid, isAdmin: adm };
  }
}
