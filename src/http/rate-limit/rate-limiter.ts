/** What is counted apart. Each has a limit of its own. */
export type RateCategory =
  'login_account' | 'login_everywhere' | 'login_address' | 'register_address' | 'refresh_address' | 'writes' | 'reads';

/** Requests a minute. */
export type RateLimits = Readonly<Record<RateCategory, number>>;

export const RATE_WINDOW_MS = 60_000;

export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests left right now. */
  readonly remaining: number;
  /** Until the limit is whole again if nothing more comes; where refused, until the next request passes. */
  readonly resetMs: number;
}

/** Counts requests over a sliding minute. */
export abstract class RateLimiter {
  /** Counts one request where it is allowed; a refused one is not counted. Never throws. */
  abstract take(category: RateCategory, key: string): Promise<RateDecision>;
}
