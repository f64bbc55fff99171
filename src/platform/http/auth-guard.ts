import { type CanActivate, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';

import { DomainError } from '../../kernel/errors.js';
import { BEARER_CHALLENGE, HttpProblem } from './problem.js';
import { type CallerIdentity, identify } from './request-context.js';

/** The port through which the platform asks whom a token speaks for. Identity implements it. */
export abstract class AccessTokens {
  /**
   * @throws DomainError of kind `unauthorized` for a token that is malformed, expired, revoked, or not an access token
   * @throws Unavailable where revocations cannot be known
   */
  abstract verify(token: string): Promise<CallerIdentity>;
}

const PUBLIC = Symbol('public');

/** No token is asked for. Everything else is closed. */
export const Public = () => SetMetadata(PUBLIC, true);

/** RFC 6750, section 2.1; the scheme compares without case (RFC 9110, section 11.1). */
const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;

export class AuthGuard implements CanActivate {
  constructor(
    private readonly tokens: AccessTokens,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC, [context.getHandler(), context.getClass()])) return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const header = request.headers.authorization;
    if (header === undefined || header === '') throw missingToken();
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) throw invalidToken();
    identify(request, await this.verify(token));
    return true;
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
