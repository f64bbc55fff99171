const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Before the second attempt, the third, … */
const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  24 * HOUR_MS,
];
export const DELIVERY_ATTEMPTS_MAX = RETRY_DELAYS_MS.length + 1;

/** Deliveries that failed together are not repeated together. */
const JITTER = 0.2;

/**
 * When to try again after a failed attempt, with jitter. The schedule is the example of the Standard Webhooks
 * specification (1.0, "Deliverability and reliability"), and ends earlier.
 *
 * @param attempt the one that failed, from 1
 * @param random from 0 to 1
 * @returns null if it was the last one
 */
export function nextAttemptAt(attempt: number, failedAt: Date, random: number): Date | null {
  const delayMs = RETRY_DELAYS_MS[attempt - 1];
  return delayMs === undefined ? null : new Date(failedAt.getTime() + delayMs * (1 + JITTER * random));
}
