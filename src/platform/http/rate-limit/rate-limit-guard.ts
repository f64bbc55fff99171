import { type CanActivate, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from '../problem.js';
import { callerOf } from '../request-context.js';
import type { RateCategory, RateDecision, RateLimiter } from './rate-limiter.js';

export interface RateRule {
  readonly category: RateCategory;
  /** Whose requests are counted together; undefined: not counted. */
  readonly keyOf: (request: FastifyRequest) => string | undefined;
}

const RULES = Symbol('rate rules');

/** Instead of the rule that every authenticated route has: reads or writes, per user. `@RateLimited()`: none. */
export const RateLimited = (...rules: readonly RateRule[]) => SetMetadata(RULES, rules);

/** The address of the client, or of the proxy where none is trusted. */
export const byAddress = (request: FastifyRequest): string => request.ip;

const byUser = (request: FastifyRequest): string | undefined => callerOf(request)?.userId;
const READS: readonly RateRule[] = [{ category: 'reads', keyOf: byUser }];
const WRITES: readonly RateRule[] = [{ category: 'writes', keyOf: byUser }];

export class RateLimitGuard implements CanActivate {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const rules = this.reflector.getAllAndOverride<readonly RateRule[]>(RULES, [
      context.getHandler(),
      context.getClass(),
    ]);
    let tightest: RateDecision | undefined;
    for (const rule of rules ?? defaultRules(request)) {
      const key = rule.keyOf(request);
      if (key === undefined) continue;
      const decision = await this.limiter.take(rule.category, key);
      if (!decision.allowed) throw refusal(decision);
      if (!tightest || decision.remaining < tightest.remaining) tightest = decision;
    }
    if (tightest) reply.headers(rateHeaders(tightest));
    return true;
  }
}

const defaultRules = (request: FastifyRequest): readonly RateRule[] =>
  request.method === 'GET' || request.method === 'HEAD' ? READS : WRITES;

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1_000));

const rateHeaders = (decision: RateDecision): Record<string, string> => ({
  'ratelimit-limit': String(decision.limit),
  'ratelimit-remaining': String(decision.remaining),
  'ratelimit-reset': String(seconds(decision.resetMs)),
});

const refusal = (decision: RateDecision): HttpProblem =>
  new HttpProblem(429, 'rate_limit_exceeded', 'Rate limit exceeded', {
    headers: rateHeaders(decision),
    retryAfterSeconds: seconds(decision.resetMs),
  });
