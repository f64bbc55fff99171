import { getEventListeners } from 'node:events';

import { waitForCall } from '../../../src/platform/async/wait-for-call.js';

const TIMEOUT_MS = 1_000;

let callbacks: Set<() => void>;
let stopping: AbortController;
beforeEach(() => {
  jest.useFakeTimers();
  callbacks = new Set();
  stopping = new AbortController();
});
afterEach(() => {
  expect([jest.getTimerCount(), callbacks.size, getEventListeners(stopping.signal, 'abort')]).toEqual([0, 0, []]);
  jest.useRealTimers();
});

const subscribe = (callback: () => void) => {
  callbacks.add(callback);
  return () => callbacks.delete(callback);
};
const call = () => callbacks.forEach((callback) => callback());

test.each([
  ['the call', call],
  ['the timeout', () => jest.advanceTimersByTime(TIMEOUT_MS)],
  ['the abort', () => stopping.abort()],
])('%s ends the wait, and nothing is left of it', async (_, end) => {
  let isOver = false;
  const wait = waitForCall(subscribe, { timeoutMs: TIMEOUT_MS, signal: stopping.signal }).then(() => (isOver = true));
  await jest.advanceTimersByTimeAsync(TIMEOUT_MS - 1);
  expect([isOver, jest.getTimerCount(), callbacks.size]).toEqual([false, 1, 1]);
  end();
  await wait;
});

test('without a timeout there is no timer', async () => {
  const wait = waitForCall(subscribe);
  expect(jest.getTimerCount()).toBe(0);
  call();
  await wait;
});

test('after an abort it does not wait', async () => {
  stopping.abort();
  await waitForCall(subscribe, { timeoutMs: TIMEOUT_MS, signal: stopping.signal });
});
