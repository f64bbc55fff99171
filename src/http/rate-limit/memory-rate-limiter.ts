import { LRUCache } from 'lru-cache';

import { type RateCategory, type RateDecision, RateLimiter, type RateLimits, RATE_WINDOW_MS } from './rate-limiter.js';
import { takeFromWindow, type WindowState } from './sliding-window.js';

/** The least recently used key is evicted, so an attacker with many addresses cannot use more memory than this. */
const KEYS_MAX = 10_000;

/** Limits within this process: for a single process, for tests, and while Redis is unavailable. */
export class MemoryRateLimiter extends RateLimiter {
  private readonly windows = new LRUCache<string, WindowState>({ max: KEYS_MAX });

  constructor(
    private readonly limits: RateLimits,
    private readonly now: () => number = Date.now,
  ) {
    super();
  }

  async take(category: RateCategory, key: string, weight = 1): Promise<RateDecision> {
    const name = `${category}:${key}`;
    const limits = { limit: this.limits[category], windowMs: RATE_WINDOW_MS };
    const { state, decision } = takeFromWindow(this.windows.get(name), limits, this.now(), { weight });
    this.windows.set(name, state);
    return decision;
  }
}
