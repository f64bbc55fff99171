import type { RateLimits } from '../../src/http/rate-limit/rate-limiter.js';

/** Limits that are never reached, except those that a test sets. */
export const rateLimits = (about: Partial<RateLimits>): RateLimits => ({
  login_account: 100_000,
  login_everywhere: 100_000,
  login_address: 100_000,
  register_address: 100_000,
  refresh_address: 100_000,
  writes: 100_000,
  reads: 100_000,
  ...about,
});
