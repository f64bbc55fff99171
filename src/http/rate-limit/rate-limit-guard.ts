import type { FastifyReply, FastifyRequest } from 'fastify';

import { clientAddress } from '../client-address.js';
import { HttpProblem } from '../problem.js';
import { callerOf } from '../request-context.js';
import { routeConfig } from '../route-options.js';
import { DelayedRequests } from './delayed-requests.js';
import type { RateCategory, RateDecision, RateLimiter } from './rate-limiter.js';

export interface RateRule {
  readonly category: RateCategory;
  /** Requests with the same key are counted together; undefined: not counted. */
  readonly keyOf: (request: FastifyRequest) => string | undefined;
  /** Counted after the body is read; other rules are counted before. */
  readonly needsBody?: boolean;
  /** The number of requests that it counts as; default 1. */
  readonly weightOf?: (request: FastifyRequest) => number;
  /** Above the limit a request is delayed, not refused: others must not be able to lock a user out. */
  readonly delays?: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    rateRules?: readonly RateRule[];
  }
}

/** Replaces the default rule of authenticated routes (reads or writes, per user). `@RateLimited()`: no rule. */
export const RateLimited = (...rules: readonly RateRule[]) => routeConfig({ rateRules: rules });

/** The address of the client, or of an untrusted proxy. */
export const byAddress = ({ ip }: FastifyRequest): string => clientAddress(ip);

/** Programs with a key each do not use up each other's requests, nor those of a person. */
const byCredential = (request: FastifyRequest): string | undefined => {
  const caller = callerOf(request);
  return caller?.key?.id ?? caller?.userId;
};
const READS: readonly RateRule[] = [{ category: 'reads', keyOf: byCredential }];
const WRITES: readonly RateRule[] = [{ category: 'writes', keyOf: byCredential }];

/** Counted as a read, although its method is POST. */
export const RateLimitedAsRead = () => RateLimited(...READS);

/** Instead of `@RateLimited()`: the request counts as as many writes as its body contains. @param countOf at least 1 */
export const RateLimitedByContent = (countOf: (body: unknown) => number) =>
  RateLimited(...WRITES, {
    category: 'writes',
    keyOf: (request) => (countOf(request.body) > 1 ? byCredential(request) : undefined),
    needsBody: true,
    // One of them was counted before the body was read.
    weightOf: ({ body }) => countOf(body) - 1,
  });

export class RateLimitGuard {
  constructor(
    private readonly limiter: RateLimiter,
    private readonly delayed = new DelayedRequests(),
  ) {}

  /**
   * @param bodyIsRead which of the rules to count: those that need the body, or the others
   * @throws HttpProblem 429
   */
  async check(request: FastifyRequest, reply: FastifyReply, bodyIsRead: boolean): Promise<void> {
    for (const rule of rulesOf(request)) {
      if ((rule.needsBody ?? false) !== bodyIsRead) continue;
      const key = rule.keyOf(request);
      if (key === undefined) continue;
      const decision = await this.limiter.take(rule.category, key, rule.weightOf?.(request));
      if (!decision.allowed) {
        if (!rule.delays || !(await this.delayed.delay(key, reply))) throw refusal(decision);
      } else if (decision.remaining < remainingHeader(reply)) reply.headers(rateHeaders(decision));
    }
  }
}

/** With several rules, the headers describe the one with the fewest requests left. */
const remainingHeader = (reply: FastifyReply): number =>
  Number(reply.getHeader('ratelimit-remaining') ?? Number.POSITIVE_INFINITY);

function rulesOf({ method, routeOptions: { config } }: FastifyRequest): readonly RateRule[] {
  if (config.rateRules) return config.rateRules;
  return method === 'GET' || method === 'HEAD' ? READS : WRITES;
}

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
