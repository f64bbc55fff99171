import { resolvesWithin, withTimeout } from '../../../src/platform/async/timeout.js';

const TIMEOUT_MS = 1_000;
const timedOut = () => new Error('timed out');

beforeEach(() => void jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('withTimeout', () => {
  test('returns the result', async () => {
    await expect(withTimeout(Promise.resolve('result'), TIMEOUT_MS, timedOut)).resolves.toBe('result');
  });

  test('passes the error on', async () => {
    const error = new Error('a bug');
    await expect(withTimeout(Promise.reject(error), TIMEOUT_MS, timedOut)).rejects.toBe(error);
  });

  test('throws at the timeout, and drops a late error', async () => {
    const work = Promise.withResolvers<void>();
    let error: unknown = null;
    const waiting = withTimeout(work.promise, TIMEOUT_MS, timedOut).catch((reason: unknown) => (error = reason));
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
    expect(error).toBeNull();
    await jest.advanceTimersByTimeAsync(1);
    expect(error).toEqual(timedOut());
    await waiting;
    // An unhandled rejection would fail the test.
    work.reject(new Error('late'));
    await new Promise(setImmediate);
  });

  test('makes no error for work that is in time', async () => {
    const makeError = jest.fn(timedOut);
    await withTimeout(Promise.resolve(), TIMEOUT_MS, makeError);
    expect(makeError).not.toHaveBeenCalled();
  });
});

describe('resolvesWithin', () => {
  test('tells whether the promise resolved in time', async () => {
    expect(await resolvesWithin(Promise.resolve(false), TIMEOUT_MS)).toBe(true);
    const pending = resolvesWithin(new Promise(() => undefined), TIMEOUT_MS);
    await jest.advanceTimersByTimeAsync(TIMEOUT_MS);
    expect(await pending).toBe(false);
  });

  test('passes the error on', async () => {
    const error = new Error('a bug');
    await expect(resolvesWithin(Promise.reject(error), TIMEOUT_MS)).rejects.toBe(error);
  });
});
