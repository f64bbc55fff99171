import { withTimeout } from '../platform/async/timeout.js';
import type { Log } from '../platform/telemetry/log.js';

/** In addition to what a part waits for by its own settings. */
export const END_MS_MAX = 15_000;

/**
 * Waits for a part of the service to close, but not forever: a pool waits for every connection that was taken from it,
 * and a query that is lost with its server never returns one. Nothing is lost by going on: the process ends next.
 */
export async function endInTime(
  log: Log,
  part: string,
  closing: Promise<unknown> | undefined,
  ms = END_MS_MAX,
): Promise<void> {
  const late = () => new Error(`${part} did not close within ${ms} ms`);
  await withTimeout(Promise.resolve(closing), ms, late).catch((error: unknown) => {
    log.error({ err: error, part }, 'a part of the service did not close; ending without it');
  });
}
