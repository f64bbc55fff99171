const FIRST_DELAY_MS_MAX = 250;
const DELAY_MS_MAX = 8_000;
const FACTOR = 2;

/** Exponential backoff with full jitter: clients that failed together do not come again together. @param tries ≥ 1 */
export const backoffMs = (tries: number): number =>
  Math.random() * Math.min(DELAY_MS_MAX, FIRST_DELAY_MS_MAX * FACTOR ** (tries - 1));
