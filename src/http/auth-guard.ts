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

/** The port through which the platform asks whom a token speaks for. Identity implements it. */
export abstract class AccessTokens {
  /**
   * @throws DomainError of kind `unauthorized` for a token that is malformed, expired, revoked, or not an access token
   * @throws Unavailable where revocations cannot be known
   */
  abstract verify(token: string): Promise<CallerIdentity>;
}

/** No token is asked for. Everything else is closed. */
export const Public = () => routeConfig({ public: true });

/** RFC 6750, section 2.1; the scheme compares without case (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export class AuthGuard {
  constructor(private readonly tokens: AccessTokens) {}

  /** @throws HttpProblem 401 where the route is not public and nobody is known to ask */
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
      // Why a token is refused is nobody's business but ours.
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
