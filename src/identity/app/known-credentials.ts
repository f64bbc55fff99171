import { Credentials } from '../../http/auth-guard.js';
import type { CallerIdentity } from '../../http/request-context.js';
import { looksLikeKey } from './key-text.js';
import type { ApiKeys } from './api-keys.js';
import type { Revocations } from './revocations.js';
import { invalidToken, type Tokens } from './tokens.js';

/** Access tokens, valid until they expire or their session is revoked, and API keys. No SQL statement per request. */
export class KnownCredentials extends Credentials {
  constructor(
    private readonly tokens: Tokens,
    private readonly revokedSessions: Revocations,
    private readonly keys: ApiKeys,
  ) {
    super();
  }

  async verify(credential: string, address: string): Promise<CallerIdentity> {
    if (looksLikeKey(credential)) return this.keys.verify(credential, address);
    const { sub, sid, adm } = this.tokens.readAccess(credential);
    if (await this.revokedSessions.isRevoked(sid)) throw invalidToken();
    return { userId: sub, sessionId: sid, isAdmin: adm, key: null };
  }

  looksLikeKey(text: string): boolean {
    return looksLikeKey(text);
  }
}
