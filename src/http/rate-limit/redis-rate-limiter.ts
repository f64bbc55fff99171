import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import type { Redis } from 'ioredis';

import { withTimeout } from '../../platform/async/timeout.js';
import { LuaScript } from '../../platform/redis/lua-script.js';
import type { Log } from '../../platform/telemetry/log.js';
import { LocalQuota } from './local-quota.js';
import { MemoryRateLimiter } from './memory-rate-limiter.js';
import { type RateCategory, type RateDecision, RateLimiter, type RateLimits, RATE_WINDOW_MS } from './rate-limiter.js';
import { costOf } from './sliding-window.js';

/** Short, because slow requests are worse than limits that are briefly counted per process. */
const RESPONSE_TIMEOUT_MS = 250;
/** After a failure, Redis is not queried for this time. */
const UNAVAILABLE_MS = 1_000;

export interface RedisRateLimiterOptions {
  readonly redis: Redis;
  readonly limits: RateLimits;
  /** Prefix of the keys. */
  readonly namespace: string;
  /** Timeout for a response from Redis; afterwards each process counts for itself. */
  readonly responseTimeoutMs?: number;
  readonly log: Log;
}

/** Beside this file in the sources, beside the bundle in `dist` (infra/build/bundle.mjs). */
const slidingWindow = new LuaScript(readFileSync(new URL('./sliding-window.lua', import.meta.url), 'utf8'));

/** Limits across all processes. While Redis is unavailable, each process counts for itself. */
export class RedisRateLimiter extends RateLimiter {
  private readonly fallback: MemoryRateLimiter;
  private readonly localQuota = new LocalQuota();
  private unavailableUntil = 0;

  constructor(private readonly options: RedisRateLimiterOptions) {
    super();
    this.fallback = new MemoryRateLimiter(options.limits);
  }

  async take(category: RateCategory, key: string, weight = 1): Promise<RateDecision> {
    const nowMs = Date.now();
    if (nowMs < this.unavailableUntil) return this.fallback.take(category, key, weight);
    const name = `${category}:${key}`;
    const local = weight === 1 ? this.localQuota.tryTake(name, nowMs) : undefined;
    return local ?? this.query(name, category, key, weight);
  }

  private async query(name: string, category: RateCategory, key: string, weight: number): Promise<RateDecision> {
    const limit = this.options.limits[category];
    const counted = [limit, RATE_WINDOW_MS, this.localQuota.takeUncounted(name), costOf(weight, limit)];
    try {
      const [allowed, remaining, resetMs] = (await withTimeout(
        slidingWindow.run(this.options.redis, [this.keyOf(category, key)], counted),
        this.options.responseTimeoutMs ?? RESPONSE_TIMEOUT_MS,
        () => new Error('Redis response timed out'),
      )) as [number, number, number];
      const decision = { allowed: allowed === 1, limit, remaining, resetMs };
      this.localQuota.store(name, decision, Date.now());
      return decision;
    } catch (error) {
      this.unavailableUntil = Date.now() + UNAVAILABLE_MS;
      this.options.log.warn({ err: error }, 'Redis unavailable: rate limits are counted in this process');
      return this.fallback.take(category, key, weight);
    }
  }

  /** Redis must not store emails and addresses in plain text; half of a SHA-256 digest is sufficient. */
  private keyOf(category: RateCategory, key: string): string {
    const digest = createHash('sha256').update(key).digest('base64url').slice(0, 22);
    return `${this.options.namespace}:rate:${category}:${digest}`;
  }
}
