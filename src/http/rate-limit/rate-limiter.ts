/** Categories are counted separately. Each has its own limit. */
export type RateCategory =
  'login_account' | 'login_everywhere' | 'login_address' | 'register_address' | 'refresh_address' | 'writes' | 'reads';

/** Requests per minute. */
export type RateLimits = Readonly<Record<RateCategory, number>>;

export const RATE_WINDOW_MS = 60_000;

export interface RateDecision {
  readonly allowed: boolean;
  readonly limit: number;
  /** Requests left right now. */
  readonly remaining: number;
  /** If allowed: until the full limit is available again if no more come. If refused: until the next is allowed. */
  readonly resetMs: number;
}

/** Counts requests over a sliding minute. */
export abstract class RateLimiter {
  /**
   * Counts one request if it is allowed; a refused one is not counted. Never throws.
   * @param weight the number of requests that it counts as
   */
  abstract take(category: RateCategory, key: string, weight?: number): Promise<RateDecision>;
}
