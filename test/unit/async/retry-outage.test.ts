import { Unavailable } from '../../../src/kernel/errors.js';
import { retryOutage } from '../../../src/platform/async/retry-outage.js';

const never = new AbortController().signal;

/** Work that fails that many times. */
function failing(times: number, error: Error) {
  const work = () => {
    work.calls += 1;
    return work.calls <= times ? Promise.reject(error) : Promise.resolve('done');
  };
  work.calls = 0;
  return work;
}
const away = new Unavailable('postgres', 'away');

test('work is retried during an outage', async () => {
  const work = failing(3, away);
  await expect(retryOutage(work, never)).resolves.toBe('done');
  expect(work.calls).toBe(4);
});

test('work that fails for another reason is not retried', async () => {
  const work = failing(1, new Error('a bug'));
  await expect(retryOutage(work, never)).rejects.toThrow('a bug');
  expect(work.calls).toBe(1);
});

test('on abort, work is tried a last time, at once', async () => {
  const aborted = new AbortController();
  const work = failing(Infinity, away);
  const result = retryOutage(work, aborted.signal);
  // By then it waits for its second attempt.
  setImmediate(() => aborted.abort());
  await expect(result).rejects.toBe(away);
  expect(work.calls).toBe(2);
});

test('if already aborted, work is tried once', async () => {
  const work = failing(Infinity, away);
  await expect(retryOutage(work, AbortSignal.abort())).rejects.toBe(away);
  expect(work.calls).toBe(1);
});
