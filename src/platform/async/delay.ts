import { setTimeout as sleep } from 'node:timers/promises';

export { setImmediate as afterThisTurn } from 'node:timers/promises';

/**
 * Waits. An abort ends the wait early and is no error: loops check the signal anyway.
 * @param options.ref false: the process may exit meanwhile
 */
export async function delay(ms: number, options: { signal?: AbortSignal; ref?: boolean } = {}): Promise<void> {
  try {
    await sleep(ms, undefined, options);
  } catch (error) {
    if (!options.signal?.aborted) throw error;
  }
}
