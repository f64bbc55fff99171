import { Unavailable } from '../../kernel/errors.js';
import { delay } from './delay.js';

const FIRST_DELAY_MS = 50;
const DELAY_MS_MAX = 2_000;

/**
 * Repeats work through an outage until it succeeds, fails for another reason, or the signal aborts. A finished run is
 * worth the wait: its result exists nowhere else.
 * @throws the last Unavailable once aborted
 */
export async function retryOutage<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(DELAY_MS_MAX, delayMs * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Unavailable) || signal.aborted) throw error;
      await delay(delayMs, { signal });
    }
  }
}
