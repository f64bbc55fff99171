import { REFILL_WAIT_MS_MAX, REFILL_RETRY_MS, REFILLS_MAX } from '../../../src/sandbox/cell-refill.js';
import { START_SLOT_TIMEOUT_MS } from '../../../src/sandbox/cold-starts.js';
import { BASH, LARGE, poolWorld as world, PYTHON } from '../../support/cell-pool-world.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const later = (ms: number) => jest.advanceTimersByTimeAsync(ms);

describe('ready cells', () => {
  it('are refilled a few at a time', async () => {
    const { pool, cells, held } = world({ warmPerKind: 3 });
    held.opening = true;
    pool.keepReady([BASH]);
    await later(1);
    expect(cells).toHaveLength(REFILLS_MAX);
    expect(pool.figures).toMatchObject({ ready: 0, refilling: REFILLS_MAX });
    held.opening = false;
    for (const cell of cells) cell.opened.resolve();
    await later(1);
    expect(pool.figures).toMatchObject({ ready: 3, refilling: 0, coldStarts: 0 });
    await later(60_000);
    expect(cells).toHaveLength(3);
  });

  it('belong to no user until their first job, and do not age', async () => {
    const { pool, job, cells } = world({ warmPerKind: 1, ageMsMax: 60_000 });
    pool.keepReady([BASH, PYTHON]);
    await later(600_000);
    const anns = await job('ann');
    expect(cells.indexOf(anns)).toBeLessThan(2);
    expect(await job('ann')).toBe(anns);
    expect(pool.figures.coldStarts).toBe(0);
  });

  it('are used after the user’s own cells', async () => {
    const { pool, job } = world({ warmPerKind: 1 });
    const own = await job('ann');
    pool.keepReady([BASH]);
    await later(1);
    expect(await job('ann')).toBe(own);
    expect(pool.figures.ready).toBe(1);
  });

  it('are refilled in a pause between runs, or if there was no pause for too long', async () => {
    const { pool, take, cells } = world({ warmPerKind: 1 });
    pool.keepReady([BASH]);
    await later(1);
    const first = await take('ann');
    await later(REFILL_WAIT_MS_MAX / 2);
    expect(cells).toHaveLength(1);
    pool.release(first, true);
    await later(100);
    expect(cells).toHaveLength(2);
    await take('bob');
    await later(REFILL_WAIT_MS_MAX + 200);
    expect(cells).toHaveLength(3);
  });

  it('are refilled after a cell that a run waits for, unless its start takes too long', async () => {
    const { pool, take, cells, held } = world({ warmPerKind: 1, startsMax: 1 });
    held.opening = true;
    void take('ann', LARGE);
    pool.keepReady([BASH]);
    await later(START_SLOT_TIMEOUT_MS - 1);
    expect(cells.map(({ kind }) => kind)).toEqual([LARGE]);
    await later(200);
    expect(cells.map(({ kind }) => kind)).toEqual([LARGE, BASH]);
  });

  it('are removed if their kind is no longer a default', async () => {
    const { pool, cells, held } = world({ warmPerKind: 1 });
    pool.keepReady([BASH, PYTHON]);
    await later(1);
    held.opening = true;
    pool.keepReady([BASH, LARGE]);
    expect(cells.map(({ isRemoved }) => isRemoved)).toEqual([false, true]);
    await later(1);
    pool.keepReady([BASH]);
    cells[2]!.opened.resolve();
    await later(1);
    expect(cells[2]!.isRemoved).toBe(true);
    expect(pool.figures.ready).toBe(1);
  });

  it('are replaced when one ends by itself', async () => {
    const { pool, cells } = world({ warmPerKind: 1 });
    pool.keepReady([BASH]);
    await later(1);
    cells[0]!.end();
    await later(100);
    expect(cells.map(({ isRemoved }) => isRemoved)).toEqual([true, false]);
    expect(pool.figures.ready).toBe(1);
  });

  it('are retried later if none could be made, without delaying other kinds', async () => {
    const { pool, cells, held } = world({ warmPerKind: 1 });
    held.opening = true;
    pool.keepReady([PYTHON]);
    await later(1);
    cells[0]!.failToOpen();
    await later(REFILL_RETRY_MS - 1_000);
    expect(cells).toHaveLength(1);
    expect(cells[0]!.isRemoved).toBe(true);
    pool.keepReady([PYTHON, BASH]);
    await later(1);
    cells[1]!.failToOpen();
    cells[2]!.opened.resolve();
    await later(REFILL_RETRY_MS - 1_000);
    expect(pool.figures).toMatchObject({ ready: 1, refilling: 0 });
    held.opening = false;
    await later(1_000);
    expect(pool.figures).toMatchObject({ ready: 2, refilling: 0 });
  });
});
