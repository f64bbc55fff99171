import { REFILL_WAIT_MS_MAX } from '../../../src/sandbox/cell-refill.js';
import { BASH, LARGE, poolWorld as world, PYTHON } from '../../support/cell-pool-world.js';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());
const later = (ms: number) => jest.advanceTimersByTimeAsync(ms);

describe('a cell', () => {
  it('serves its user’s next job, and no other user’s', async () => {
    const { job } = world();
    const one = await job('ann');
    expect(await job('ann')).toBe(one);
    expect(await job('bob')).not.toBe(one);
    expect(await job('ann')).toBe(one);
  });

  it('serves one job at a time', async () => {
    const { take, pool } = world();
    const [one, other] = [await take('ann'), await take('ann')];
    expect(other).not.toBe(one);
    expect(pool.figures).toMatchObject({ busy: 2, coldStarts: 2 });
  });

  it('serves jobs of its own kind only', async () => {
    const { job } = world();
    const one = await job('ann');
    expect(await job('ann', PYTHON)).not.toBe(one);
    expect(await job('ann', LARGE)).not.toBe(one);
  });

  it('that becomes idle serves its user’s job of the same kind that waits until another cell may start', async () => {
    const { cells, held, take, pool } = world({ startsMax: 1 });
    const first = await take('ann');
    held.opening = true;
    const [bobs, large, anns] = [take('bob'), take('ann', LARGE), take('ann')];
    await later(1);
    expect(pool.figures).toMatchObject({ busy: 4, coldStarts: 2 });
    pool.release(first, true);
    expect(await anns).toBe(first);
    expect(pool.figures).toMatchObject({ busy: 3, coldStarts: 2, resting: 0 });
    cells[1]!.opened.resolve();
    await bobs;
    await later(1);
    cells[2]!.opened.resolve();
    expect(await large).toBe(cells[2]);
    expect(pool.figures).toMatchObject({ busy: 3, coldStarts: 3 });
    pool.release(first, true);
    expect(pool.figures).toMatchObject({ busy: 2, resting: 1 });
  });

  it('is removed at its limit of jobs', async () => {
    const { job, pool } = world({ jobsMax: 3 });
    const one = await job('ann');
    await job('ann');
    expect(one.isRemoved).toBe(false);
    expect(await job('ann')).toBe(one);
    expect(one.isRemoved).toBe(true);
    expect(await job('ann')).not.toBe(one);
    expect(pool.figures.coldStarts).toBe(2);
  });

  it('is removed at its maximum age, counted from its first job', async () => {
    const { job } = world({ ageMsMax: 60_000 });
    const one = await job('ann');
    await later(29_000);
    expect(await job('ann')).toBe(one);
    await later(29_000);
    expect(await job('ann')).toBe(one);
    await later(2_000);
    expect(await job('ann')).toBe(one);
    expect(one.isRemoved).toBe(true);
  });

  it('is removed when its own idle time is over', async () => {
    const { job, take, pool } = world({ restMs: 30_000 });
    const bobs = await take('bob');
    const anns = await job('ann');
    await later(20_000);
    pool.release(bobs, true);
    await later(9_999);
    expect(pool.figures.resting).toBe(2);
    await later(1);
    expect([anns.isRemoved, bobs.isRemoved]).toEqual([true, false]);
    await later(20_000);
    expect(bobs.isRemoved).toBe(true);
  });

  it('is removed after any anomaly, and after one job without idle time', async () => {
    const { take, pool } = world();
    const odd = await take('ann');
    pool.release(odd, false);
    expect(odd.isRemoved).toBe(true);
    const single = world({ restMs: 0 });
    expect((await single.job('ann')).isRemoved).toBe(true);
  });

  it('that ended while idle is removed, and not used', async () => {
    const { job, pool } = world();
    const one = await job('ann');
    one.end();
    await later(1);
    expect(one.isRemoved).toBe(true);
    expect(pool.figures.resting).toBe(0);
    expect(await job('ann')).not.toBe(one);
  });

  it('that ended just after its job does not become idle', async () => {
    const { take, pool } = world();
    const one = await take('ann');
    one.end();
    pool.release(one, true);
    expect(one.isRemoved).toBe(true);
  });

  it('that cannot be opened is removed, and its place is free', async () => {
    const { pool, cells, held } = world();
    held.opening = true;
    const taken = pool.take('ann', BASH);
    cells[0]!.failToOpen();
    await expect(taken).rejects.toThrow('no such image');
    expect(cells[0]!.isRemoved).toBe(true);
    expect(pool.figures).toMatchObject({ busy: 0, resting: 0 });
  });
});

describe('the maximum number of cells', () => {
  it('makes room for a run: idle cells go first, longest idle first, then ready ones', async () => {
    const { pool, job, take, cells } = world({ cellsMax: 3, warmPerKind: 1 });
    pool.keepReady([PYTHON]);
    await later(1);
    const [anns, bobs] = [await job('ann'), await job('bob')];
    await take('cid');
    expect([anns.isRemoved, bobs.isRemoved, cells[0]!.isRemoved]).toEqual([true, false, false]);
    await take('dan');
    expect([bobs.isRemoved, cells[0]!.isRemoved]).toEqual([true, false]);
    await take('eve');
    expect(cells[0]!.isRemoved).toBe(true);
  });

  it('does not delay a run if all cells are busy', async () => {
    const { take, pool } = world({ cellsMax: 1 });
    await take('ann');
    await take('bob');
    expect(pool.figures.busy).toBe(2);
  });

  it('allows no further ready cell until one is gone', async () => {
    const { pool, take, cells } = world({ cellsMax: 2, warmPerKind: 2 });
    const one = await take('ann');
    pool.keepReady([BASH, PYTHON]);
    await later(REFILL_WAIT_MS_MAX + 200);
    expect(pool.figures).toMatchObject({ ready: 1, busy: 1 });
    await later(60_000);
    expect(cells).toHaveLength(2);
    pool.release(one, false);
    await later(200);
    expect(pool.figures).toMatchObject({ ready: 2, busy: 0 });
  });
});

describe('the end of the pool', () => {
  it('drain() removes all cells without a run; ready ones are made again', async () => {
    const { pool, job, take, cells } = world({ warmPerKind: 1 });
    pool.keepReady([PYTHON]);
    await later(1);
    const rests = await job('ann');
    const runs = await take('bob');
    pool.drain();
    expect([cells[0]!.isRemoved, rests.isRemoved, runs.isRemoved]).toEqual([true, true, false]);
    pool.release(runs, true);
    await later(200);
    expect(pool.figures).toMatchObject({ ready: 1, resting: 1 });
  });

  it('close() removes all cells without a run, and those released or opened later', async () => {
    const { pool, take, cells, held, job } = world({ warmPerKind: 1 });
    await job('ann');
    const runs = await take('bob');
    held.opening = true;
    pool.keepReady([BASH]);
    await later(REFILL_WAIT_MS_MAX + 200);
    expect(pool.figures.refilling).toBe(1);
    pool.close();
    pool.release(runs, true);
    let isIdle = false;
    const idle = pool.idle().then(() => (isIdle = true));
    await later(1);
    expect(isIdle).toBe(false);
    cells.at(-1)!.opened.resolve();
    await idle;
    expect(cells.every(({ isRemoved }) => isRemoved)).toBe(true);
    await later(60_000);
    expect(cells).toHaveLength(3);
  });

  it('a cell in any state is known until it is gone', async () => {
    const { pool, take, cells, held } = world({ warmPerKind: 1 });
    held.opening = true;
    pool.keepReady([PYTHON]);
    await later(1);
    const cold = take('ann');
    expect([pool.has('c0'), pool.has('c1'), pool.has('c2')]).toEqual([true, true, false]);
    for (const cell of cells) cell.opened.resolve();
    const taken = await cold;
    expect([pool.has('c0'), pool.has('c1')]).toEqual([true, true]);
    pool.release(taken, false);
    expect(pool.has('c1')).toBe(true);
    await pool.idle();
    expect(pool.has('c1')).toBe(false);
  });
});
