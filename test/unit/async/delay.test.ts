import { delay } from '../../../src/platform/async/delay.js';
import { runningTimers } from '../../support/timers.js';

const A_MINUTE_MS = 60_000;

test('a delay takes its time', async () => {
  const startedAt = performance.now();
  await delay(20);
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(19);
});

test('an abort ends it without an error, and clears its timer', async () => {
  const before = runningTimers();
  const stopping = new AbortController();
  const delayed = delay(A_MINUTE_MS, { signal: stopping.signal });
  expect(runningTimers()).toBe(before + 1);
  stopping.abort(new Error('stop'));
  await expect(delayed).resolves.toBeUndefined();
  await delay(A_MINUTE_MS, { signal: stopping.signal });
  expect(runningTimers()).toBe(before);
});

test('it need not keep the process alive', async () => {
  const before = runningTimers();
  const stopping = new AbortController();
  const delayed = delay(A_MINUTE_MS, { signal: stopping.signal, ref: false });
  expect(runningTimers()).toBe(before);
  stopping.abort();
  await delayed;
});

test('an invalid argument is an error', async () => {
  await expect(delay('soon' as never)).rejects.toThrow('must be of type number');
});
