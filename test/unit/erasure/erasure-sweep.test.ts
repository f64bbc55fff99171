import type { ErasurePassResult } from '../../../src/erasure/erasure-pass.js';
import { ErasureSweep } from '../../../src/erasure/erasure-sweep.js';
import type { UnfinishedErasure } from '../../../src/erasure/unfinished-erasures.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const NOTHING: ErasurePassResult = { cancelled: 0, payloads: 0, bytes: 0, left: 0, isCut: false };
const { signal } = new AbortController();

/** A sweep over erasures, of which each pass does as told. */
function sweepOf(erasures: UnfinishedErasure[], results: Record<string, () => ErasurePassResult> = {}) {
  const passes: string[] = [];
  const completed: string[] = [];
  const sweep = new ErasureSweep({
    erasures: {
      next: async (after, limit) =>
        erasures.filter(({ user_id }) => user_id > after && !completed.includes(user_id)).slice(0, limit),
      complete: async ({ user_id }) => void completed.push(user_id),
    },
    pass: {
      run: async (userId) => {
        passes.push(userId);
        return results[userId]?.() ?? NOTHING;
      },
    },
    log: silentLog,
  });
  return { sweep, passes, completed };
}

const erasure = (user_id: string, is_settled = true, requested_at = 'then'): UnfinishedErasure => ({
  user_id,
  requested_at,
  is_settled,
});
const names = (count: number): string[] => Array.from({ length: count }, (_, n) => `u${String(n).padStart(3, '0')}`);

test('an erasure is completed when a pass finds nothing active, long enough after it was requested', async () => {
  const found = [erasure('a', false)];
  const { sweep, passes, completed } = sweepOf(found);
  await sweep.round(signal);
  expect([passes, completed]).toEqual([['a'], []]);
  // Nothing is active: until the last pass there is nothing to do.
  await sweep.round(signal);
  expect(passes).toEqual(['a']);
  found[0] = erasure('a');
  await sweep.round(signal);
  expect([passes, completed]).toEqual([['a', 'a'], ['a']]);
});

test('one that is requested again gets another pass at once', async () => {
  const found = [erasure('a', false)];
  const { sweep, passes } = sweepOf(found);
  await sweep.round(signal);
  found[0] = erasure('a', false, 'later');
  await sweep.round(signal);
  expect(passes).toEqual(['a', 'a']);
});

test('while something is active, it is not completed', async () => {
  let left = 2;
  const { sweep, completed } = sweepOf([erasure('a')], { a: () => ({ ...NOTHING, left: left-- }) });
  await sweep.round(signal);
  await sweep.round(signal);
  expect(completed).toEqual([]);
  await sweep.round(signal);
  expect(completed).toEqual(['a']);
});

test('a pass that was cut is followed at once, after a pass of every other erasure', async () => {
  let cuts = 2;
  const cut = () => ({ ...NOTHING, left: cuts, isCut: cuts-- > 0 });
  const { sweep, passes } = sweepOf([erasure('a'), erasure('b')], { a: cut });
  expect(await sweep.round(signal)).toBe(true);
  expect(passes).toEqual(['a', 'b']);
  expect(await sweep.round(signal)).toBe(true);
  expect(await sweep.round(signal)).toBe(false);
});

test.each([
  ['an outage', () => new Unavailable('nats', 'away')],
  ['a bug', () => new Error('broken')],
])('%s in one pass does not keep the others from being completed; it is retried', async (_what, error) => {
  let failures = 1;
  const { sweep, completed } = sweepOf([erasure('a'), erasure('b')], {
    a: () => {
      if (failures-- > 0) throw error();
      return NOTHING;
    },
  });
  await sweep.round(signal);
  expect(completed).toEqual(['b']);
  await sweep.round(signal);
  expect(completed).toEqual(['b', 'a']);
});

test('more erasures than one round takes: each has its turn, also behind ones that never end', async () => {
  const stuck = () => ({ ...NOTHING, left: 1 });
  const users = names(40);
  const { sweep, passes, completed } = sweepOf(
    users.map((user) => erasure(user)),
    Object.fromEntries(users.slice(0, 20).map((user) => [user, stuck])),
  );
  for (let round = 0; round < 3; round += 1) await sweep.round(signal);
  expect([...new Set(passes)]).toEqual(users);
  expect(completed).toEqual(users.slice(20));
});
