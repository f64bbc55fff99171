import { delay } from '../../src/platform/async/delay.js';

const TIMEOUT_MS = 30_000;
const INTERVAL_MS = 20;

/**
 * Repeats an assertion until it holds, and fails with its last error after a timeout. Waits for the condition itself; a
 * sleep would only guess how long that takes.
 */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const { timeoutMs = TIMEOUT_MS, intervalMs = INTERVAL_MS } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (performance.now() >= deadline) throw error;
    }
    await delay(intervalMs);
  }
}
