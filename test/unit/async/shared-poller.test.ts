import { Unavailable } from '../../../src/kernel/errors.js';
import { SharedPoller } from '../../../src/platform/async/shared-poller.js';
import { type Log, silentLog } from '../../../src/platform/telemetry/log.js';
import { eventually } from '../../support/eventually.js';
import { runningTimers } from '../../support/timers.js';

const A_MINUTE_MS = 60_000;

/** Each poll so far: the callers it was for, and how to complete it. */
let polls: { wanted: readonly string[]; answer: (...reached: string[]) => void; fail: (error: Error) => void }[];
let pollers: SharedPoller<string>[];

beforeEach(() => {
  polls = [];
  pollers = [];
});
afterEach(() => {
  for (const each of pollers) each.close();
});

function poller({
  pollIntervalMs = A_MINUTE_MS,
  minIntervalMs = 0,
  pollsOnArrival = true,
  log = silentLog,
} = {}): SharedPoller<string> {
  const poll = (wanted: readonly string[]) =>
    new Promise<(wanted: string) => boolean>((resolve, fail) => {
      polls.push({ wanted, answer: (...reached) => resolve((one) => reached.includes(one)), fail });
    });
  pollers.push(new SharedPoller({ poll, pollIntervalMs, minIntervalMs, pollsOnArrival, log }));
  return pollers.at(-1)!;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('it polls at once for the first caller; one poll and one timer serve all', async () => {
  const before = runningTimers();
  const watch = poller();
  const waits = Array.from({ length: 1_000 }, (_, index) => watch.wait(`${index}`, {}));
  expect(polls.map(({ wanted }) => wanted.length)).toEqual([1]);
  polls[0]!.answer();
  await nextTurn();
  expect(polls.map(({ wanted }) => wanted.length)).toEqual([1, 1_000]);
  polls[1]!.answer(...polls[1]!.wanted.slice(1));
  expect(await Promise.all(waits.slice(1))).toEqual(Array.from({ length: 999 }, () => true));
  await nextTurn();
  expect(runningTimers()).toBe(before + 1);
  watch.close();
  await waits[0];
  await nextTurn();
  expect(runningTimers()).toBe(before);
});

test('a notification for callers that do not wait causes no poll', async () => {
  const watch = poller();
  const wait = watch.wait('a', {});
  polls[0]!.answer();
  await nextTurn();
  watch.notify((wanted) => wanted === 'b');
  await nextTurn();
  expect(polls).toHaveLength(1);
  watch.notify((wanted) => wanted === 'a');
  await nextTurn();
  polls[1]!.answer('a');
  expect(await wait).toBe(true);
});

test('without a poll on arrival, a notification serves callers alone, and the interval those without one', async () => {
  const before = runningTimers();
  const watch = poller({ pollsOnArrival: false });
  const wait = watch.wait('a', {});
  await nextTurn();
  watch.resolveReached((wanted) => wanted === 'a');
  expect(await wait).toBe(true);
  await nextTurn();
  expect([polls.length, runningTimers()]).toEqual([0, before]);

  const lost = poller({ pollsOnArrival: false, pollIntervalMs: 1 }).wait('b', {});
  await eventually(() => expect(polls).toHaveLength(1));
  polls[0]!.answer('b');
  expect(await lost).toBe(true);

  const short = poller({ pollsOnArrival: false }).wait('c', { timeoutMs: A_MINUTE_MS });
  await nextTurn();
  polls[1]!.answer('c');
  expect(await short).toBe(true);
});

test('it polls again when notified, for callers that still wait', async () => {
  const watch = poller();
  const waits = [watch.wait('a', {}), watch.wait('b', {}), watch.wait('b', {})];
  polls[0]!.answer();
  await nextTurn();
  polls[1]!.answer('b');
  expect(await Promise.all(waits.slice(1))).toEqual([true, true]);
  await nextTurn();
  expect(polls).toHaveLength(2);

  watch.notify();
  await nextTurn();
  expect(polls[2]!.wanted).toEqual(['a']);
  polls[2]!.answer('a');
  expect(await waits[0]).toBe(true);
});

test('a notification during a poll causes another poll', async () => {
  const watch = poller();
  const wait = watch.wait('a', {});
  watch.notify();
  watch.notify();
  expect(polls).toHaveLength(1);
  polls[0]!.answer();
  await nextTurn();
  polls[1]!.answer('a');
  await wait;
});

test('it polls at an interval without notifications', async () => {
  const wait = poller({ pollIntervalMs: 1 }).wait('a', {});
  polls[0]!.answer();
  await eventually(() => expect(polls).toHaveLength(2));
  polls[1]!.answer('a');
  await wait;
});

test('it keeps a minimum interval between polls', async () => {
  const resting = poller({ minIntervalMs: A_MINUTE_MS });
  void resting.wait('a', {});
  polls[0]!.answer();
  resting.notify();
  await nextTurn();
  expect(polls).toHaveLength(1);

  const rested = poller({ minIntervalMs: 1 });
  const wait = rested.wait('b', {});
  polls[1]!.answer();
  rested.notify();
  await eventually(() => expect(polls).toHaveLength(3));
  polls[2]!.answer('b');
  await wait;
});

test('it does not poll while nobody waits', async () => {
  const watch = poller();
  watch.notify();
  const wait = watch.wait('a', {});
  polls[0]!.answer('a');
  await wait;
  watch.notify();
  await nextTurn();
  expect(polls).toHaveLength(1);
  void watch.wait('b', {});
  expect(polls[1]!.wanted).toEqual(['b']);
});

test('a notification with the new state needs no poll', async () => {
  const watch = poller();
  const waits = [watch.wait('a', {}), watch.wait('b', {})];
  watch.resolveReached((wanted) => wanted === 'a');
  expect(await waits[0]).toBe(true);
  watch.resolveReached((wanted) => wanted === 'b');
  expect(await waits[1]).toBe(true);
  expect(polls).toHaveLength(1);
});

test('it polls again after an outage; also after a bug, which is logged', async () => {
  const told: unknown[] = [];
  const watch = poller({ log: { ...silentLog, error: (facts: { err: unknown }) => told.push(facts.err) } as Log });
  const wait = watch.wait('a', {});
  polls[0]!.fail(new Unavailable('postgres', 'away'));
  await nextTurn();
  expect(told).toEqual([]);
  watch.notify();
  await nextTurn();
  const bug = new Error('a bug');
  polls[1]!.fail(bug);
  await nextTurn();
  expect(told).toEqual([bug]);
  watch.notify();
  await nextTurn();
  polls[2]!.answer('a');
  expect(await wait).toBe(true);
});

test('a wait ends at its timeout, its abort or the poller’s close, and is not polled for any more', async () => {
  const watch = poller();
  const leaving = new AbortController();
  const { signal } = leaving;
  const waits = [
    watch.wait('a', { timeoutMs: 1 }),
    watch.wait('b', { timeoutMs: A_MINUTE_MS, signal }),
    watch.wait('c', {}),
  ];
  expect(await waits[0]).toBe(false);
  leaving.abort();
  expect(await waits[1]).toBe(false);
  expect(await watch.wait('d', { signal })).toBe(false);
  polls[0]!.answer();
  await nextTurn();
  expect(polls[1]!.wanted).toEqual(['c']);
  watch.close();
  expect(await waits[2]).toBe(false);
});
