import type { FastifyRequest } from 'fastify';

import { DomainError } from '../kernel/errors.js';
import { BEARER_CHALLENGE, HttpProblem } from './problem.js';
import { type CallerIdentity, identify } from './request-context.js';
import { routeConfig } from './route-options.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    public?: boolean;
  }
}

/** The port that resolves an access token to its user. Identity implements it. */
export abstract class AccessTokens {
  /**
   * @throws DomainError of kind `unauthorized` for a token that is malformed, expired, revoked, or not an access token
   * @throws Unavailable if the revocations cannot be read
   */
  abstract verify(token: string): Promise<CallerIdentity>;
}

/** The route requires no token. All other routes require one. */
export const Public = () => routeConfig({ public: true });

/** RFC 6750, section 2.1; the scheme is case-insensitive (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export class AuthGuard {
  constructor(private readonly tokens: AccessTokens) {}

  /** @throws HttpProblem 401 if the route is not public and the caller is not authenticated */
  async check(request: FastifyRequest): Promise<void> {
    if (request.routeOptions.config.public === true) return;
    const header = request.headers.authorization;
    if (header === undefined || header === '') throw missingToken();
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) throw invalidToken();
    identify(request, await this.verify(token));
  }

  private async verify(token: string): Promise<CallerIdentity> {
    try {
      return await this.tokens.verify(token);
    } catch (error) {
      // The client does not learn why the token is refused.
      if (error instanceof DomainError && error.kind === 'unauthorized') throw invalidToken();
      throw error;
    }
  }
}

const missingToken = () => new HttpProblem(401, 'authorization_required', 'authorization header required');

const invalidToken = () =>
  new HttpProblem(401, 'invalid_token', 'Invalid or expired token', {
    headers: { 'www-authenticate': `${BEARER_CHALLENGE}, error="invalid_token"` },
  });
