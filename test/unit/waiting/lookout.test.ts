import { Unavailable } from '../../../src/kernel/errors.js';
import { type Log, silentLog } from '../../../src/platform/telemetry/log.js';
import { Lookout } from '../../../src/platform/waiting/lookout.js';
import { eventually } from '../../support/eventually.js';

const A_MINUTE_MS = 60_000;

/** Each look so far: who it was for, and how to answer it. */
let looks: { wanted: readonly string[]; answer: (...reached: string[]) => void; fail: (error: Error) => void }[];
let lookouts: Lookout<string>[];

beforeEach(() => {
  looks = [];
  lookouts = [];
});
afterEach(() => {
  for (const each of lookouts) each.close();
});

function lookout({ pollIntervalMs = A_MINUTE_MS, restMs = 0, log = silentLog } = {}): Lookout<string> {
  const look = (wanted: readonly string[]) =>
    new Promise<(wanted: string) => boolean>((resolve, fail) => {
      looks.push({ wanted, answer: (...reached) => resolve((one) => reached.includes(one)), fail });
    });
  lookouts.push(new Lookout({ look, pollIntervalMs, restMs, log }));
  return lookouts.at(-1)!;
}

const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('it looks at once for who comes; one look at a time, and one timer, serve all', async () => {
  const before = timers();
  const watch = lookout();
  const waits = Array.from({ length: 1_000 }, (_, index) => watch.wait(`${index}`, {}));
  expect(looks.map(({ wanted }) => wanted.length)).toEqual([1]);
  looks[0]!.answer();
  await nextTurn();
  expect(looks.map(({ wanted }) => wanted.length)).toEqual([1, 1_000]);
  looks[1]!.answer(...looks[1]!.wanted.slice(1));
  expect(await Promise.all(waits.slice(1))).toEqual(Array.from({ length: 999 }, () => true));
  await nextTurn();
  expect(timers()).toBe(before + 1);
  watch.close();
  await waits[0];
  await nextTurn();
  expect(timers()).toBe(before);
});

test('it looks again at news, for those who have not what they wait for', async () => {
  const watch = lookout();
  const waits = [watch.wait('a', {}), watch.wait('b', {}), watch.wait('b', {})];
  looks[0]!.answer();
  await nextTurn();
  looks[1]!.answer('b');
  expect(await Promise.all(waits.slice(1))).toEqual([true, true]);
  await nextTurn();
  expect(looks).toHaveLength(2);

  watch.news();
  await nextTurn();
  expect(looks[2]!.wanted).toEqual(['a']);
  looks[2]!.answer('a');
  expect(await waits[0]).toBe(true);
});

test('news during a look may have come too late for it', async () => {
  const watch = lookout();
  const wait = watch.wait('a', {});
  watch.news();
  watch.news();
  expect(looks).toHaveLength(1);
  looks[0]!.answer();
  await nextTurn();
  looks[1]!.answer('a');
  await wait;
});

test('it looks without news as well', async () => {
  const wait = lookout({ pollIntervalMs: 1 }).wait('a', {});
  looks[0]!.answer();
  await eventually(() => expect(looks).toHaveLength(2));
  looks[1]!.answer('a');
  await wait;
});

test('it rests between looks, whatever the news', async () => {
  const resting = lookout({ restMs: A_MINUTE_MS });
  void resting.wait('a', {});
  looks[0]!.answer();
  resting.news();
  await nextTurn();
  expect(looks).toHaveLength(1);

  const rested = lookout({ restMs: 1 });
  const wait = rested.wait('b', {});
  looks[1]!.answer();
  rested.news();
  await eventually(() => expect(looks).toHaveLength(3));
  looks[2]!.answer('b');
  await wait;
});

test('nothing is asked while nobody waits', async () => {
  const watch = lookout();
  watch.news();
  const wait = watch.wait('a', {});
  looks[0]!.answer('a');
  await wait;
  watch.news();
  await nextTurn();
  expect(looks).toHaveLength(1);
  void watch.wait('b', {});
  expect(looks[1]!.wanted).toEqual(['b']);
});

test('news that says what there is needs no look', async () => {
  const watch = lookout();
  const waits = [watch.wait('a', {}), watch.wait('b', {})];
  watch.settle((wanted) => wanted === 'a');
  expect(await waits[0]).toBe(true);
  watch.settle((wanted) => wanted === 'b');
  expect(await waits[1]).toBe(true);
  expect(looks).toHaveLength(1);
});

test('an outage is waited out; a bug, too, and it is told of', async () => {
  const told: unknown[] = [];
  const watch = lookout({ log: { ...silentLog, error: (facts: { err: unknown }) => told.push(facts.err) } as Log });
  const wait = watch.wait('a', {});
  looks[0]!.fail(new Unavailable('postgres', 'away'));
  await nextTurn();
  expect(told).toEqual([]);
  watch.news();
  await nextTurn();
  const bug = new Error('a bug');
  looks[1]!.fail(bug);
  await nextTurn();
  expect(told).toEqual([bug]);
  watch.news();
  await nextTurn();
  looks[2]!.answer('a');
  expect(await wait).toBe(true);
});

test('a wait ends with its time, its signal and the lookout, and is asked for no more', async () => {
  const watch = lookout();
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
  looks[0]!.answer();
  await nextTurn();
  expect(looks[1]!.wanted).toEqual(['c']);
  watch.close();
  expect(await waits[2]).toBe(false);
});
