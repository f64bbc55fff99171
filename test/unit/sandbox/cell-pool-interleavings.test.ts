import * as fc from 'fast-check';

import type { CellKind } from '../../../src/sandbox/cell-kind.js';
import { BASH, LARGE, poolWorld, PYTHON } from '../../support/cell-pool-world.js';
import type { FakeCell } from '../../support/fake-cell.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const later = (ms: number) => jest.advanceTimersByTimeAsync(ms);

type Step =
  | { readonly do: 'take'; readonly user: string; readonly kind: CellKind }
  | { readonly do: 'open' | 'fail' | 'end' | 'give' | 'give odd'; readonly which: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'drain' };
const kinds = [BASH, PYTHON, LARGE];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('take' as const),
      user: fc.constantFrom('ann', 'bob', 'cid'),
      kind: fc.constantFrom(...kinds),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('open' as const), which: fc.nat(20) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('give' as const), which: fc.nat(20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom('fail' as const, 'end' as const, 'give odd' as const),
      which: fc.nat(20),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(60, 1_100, 30_000) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'drain' as const }) },
);
const at = <T>(list: readonly T[], which: number): T | undefined => list[which % Math.max(1, list.length)];

/** Jobs that begin and end in a pool whose cells open on command. */
function play() {
  const { pool, cells, held, take } = poolWorld({
    ...{ warmPerKind: 1, jobsMax: 4, cellsMax: 5, ageMsMax: 60_000, startsMax: 2 },
  });
  held.opening = true;
  pool.keepReady([BASH, PYTHON]);
  const inUse: FakeCell[] = [];
  const waiting = new Set<Promise<void>>();
  const decided = new Set<FakeCell>();
  const faults: string[] = [];
  const begin = (cell: FakeCell): void => {
    if (inUse.includes(cell)) faults.push('two jobs at once');
    if (cell.isRemoved) faults.push('a job in a cell that is gone');
    cell.jobs += 1;
    inUse.push(cell);
  };
  const end = (cell: FakeCell | undefined, reusable: boolean): void => {
    if (!cell) return;
    inUse.splice(inUse.indexOf(cell), 1);
    pool.release(cell, reusable);
  };
  const decide = (cell: FakeCell | undefined, opens: boolean): void => {
    if (!cell) return;
    decided.add(cell);
    if (opens) cell.opened.resolve();
    else cell.failToOpen();
  };
  const unopened = () => cells.filter((cell) => !decided.has(cell));
  return {
    pool,
    cells,
    faults,
    inUse,
    waiting,
    unopened,
    perform(next: Step): void {
      if (next.do === 'take') {
        const taken = take(next.user, next.kind).then(begin, () => undefined);
        waiting.add(taken);
        void taken.then(() => waiting.delete(taken));
      } else if (next.do === 'open' || next.do === 'fail') decide(at(unopened(), next.which), next.do === 'open');
      else if (next.do === 'give' || next.do === 'give odd') end(at(inUse, next.which), next.do === 'give');
      else if (next.do === 'end') at(cells, next.which)?.end();
      else if (next.do === 'drain') pool.drain();
    },
    async finish(): Promise<void> {
      pool.close();
      held.opening = false;
      for (const cell of unopened()) decide(cell, true);
      await Promise.all(waiting);
      for (const cell of inUse.slice()) end(cell, true);
      await pool.idle();
    },
  };
}

it('no cell serves two users, two jobs at once, or anybody after its end; and all cells end', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 50, size: 'max' }), async (steps) => {
    const { pool, cells, faults, inUse, waiting, unopened, perform, finish } = play();
    for (const next of steps) {
      perform(next);
      await later(next.do === 'wait' ? next.ms : 1);
      expect(faults).toEqual([]);
      for (const cell of cells) {
        expect(new Set(cell.users).size).toBeLessThanOrEqual(1);
        expect(cell.jobs).toBeLessThanOrEqual(4);
      }
      const away = new Set([...inUse, ...unopened()]);
      const idle = cells.filter((cell) => !cell.isRemoved && !away.has(cell));
      expect(pool.figures.ready + pool.figures.resting).toBe(idle.length);
      expect(pool.figures.busy).toBe(inUse.length + waiting.size);
    }
    await finish();
    expect(cells.filter(({ isRemoved }) => !isRemoved)).toEqual([]);
  });
  await fc.assert(property, { numRuns: 100 });
});
