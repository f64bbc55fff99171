import { delay } from '../delay.js';
import { ConnectionError } from '../errors.js';
import { backoffMs } from './backoff.js';
import { type Send, wasNotSent } from './once.js';
import { isRepeatable } from './repeatable.js';
import { retryAfterMs } from './retry-after.js';

export const RETRIES_DEFAULT = 4;
export const RETRIES_MAX = 20;
/** A service that asks for more is not waited for: the caller gets the response, which says when to come again. */
export const RETRY_AFTER_MS_MAX = 60_000;

/** Not 500: that is a bug of the service, which a repeat meets again. */
const TEMPORARY = [408, 429, 502, 503, 504];
/** Refused before anything was done: even a request that may not be carried out twice can be repeated. */
const REFUSED_AT_ONCE = [429];

/** Repeats what failed for a while, with the same headers and so the same `Idempotency-Key`. */
export function withRetries(send: Send, retriesMax: number): Send {
  return async (request) => {
    const repeatable = isRepeatable(request);
    for (let tries = 1; ; tries += 1) {
      const isLast = tries > retriesMax;
      const outcome = await outcomeOf(send(isLast ? request : request.clone()));
      const waitMs = isLast ? null : waitMsBefore(outcome, repeatable, tries);
      if (waitMs === null) {
        if (outcome instanceof ConnectionError) throw outcome;
        return outcome;
      }
      await delay(waitMs, request.signal);
    }
  };
}

async function outcomeOf(sent: Promise<Response>): Promise<Response | ConnectionError> {
  try {
    return await sent;
  } catch (error) {
    if (error instanceof ConnectionError) return error;
    throw error;
  }
}

/** @returns null if a repeat is not allowed, or would not help */
function waitMsBefore(outcome: Response | ConnectionError, repeatable: boolean, tries: number): number | null {
  if (outcome instanceof ConnectionError) return repeatable || wasNotSent(outcome) ? backoffMs(tries) : null;
  if (!(repeatable ? TEMPORARY : REFUSED_AT_ONCE).includes(outcome.status)) return null;
  const askedMs = retryAfterMs(outcome.headers, Date.now()) ?? 0;
  return askedMs > RETRY_AFTER_MS_MAX ? null : askedMs + backoffMs(tries);
}
