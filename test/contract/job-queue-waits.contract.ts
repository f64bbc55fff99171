import { eventually } from '../support/eventually.js';
import { type OpenQueue, QueueDriver, type QueueLimits } from './job-queue.contract.js';

/** Longer than any of these tests takes: a caller that gets a job was woken for it. */
const LONG_MS = 50_000;

/** Waiting for jobs. */
export function describeJobWaits(open: OpenQueue): void {
  let driver: QueueDriver;
  const opened = async (limits?: Partial<QueueLimits>) => {
    driver = await QueueDriver.open(open, limits);
    return driver;
  };
  afterEach(() => driver.close());

  it('waits until a job is available', async () => {
    await opened();
    const waiting = driver.take({ waitMs: LONG_MS });
    const job = await driver.put();
    expect((await waiting)?.executionId).toBe(job.executionId);
  });

  it('stops waiting after the given time', async () => {
    await opened();
    expect(await driver.take({ waitMs: 30 })).toBeNull();
  });

  it('gives each of many waiting callers a job of its own', async () => {
    await opened({ userConcurrencyMax: 100 });
    const waiting = Array.from({ length: 20 }, () => driver.take({ waitMs: LONG_MS }));
    const jobs = await driver.putAll(...Array.from({ length: 20 }, () => ({})));
    const taken = (await Promise.all(waiting)).map((job) => job?.executionId);
    expect(taken.toSorted()).toEqual(jobs.map((job) => job.executionId).toSorted());
  });

  it('wakes when a delayed job is due, and not before', async () => {
    const { queue } = await opened();
    const waiting = driver.take({ waitMs: LONG_MS });
    const far = await driver.put({ notBefore: Date.now() + LONG_MS });
    const notBefore = Date.now() + 300;
    const near = await driver.put({ notBefore });
    expect(await queue.inspect([far])).toEqual(['delayed']);
    expect((await waiting)?.executionId).toBe(near.executionId);
    expect(Date.now()).toBeGreaterThanOrEqual(notBefore);
  });

  it('wakes when a user’s lease ends, by completion and by expiry', async () => {
    const { queue } = await opened({ userConcurrencyMax: 1 });
    const [, second, third] = await driver.putAll({}, {}, {});
    const first = await driver.mustTake();
    const completed = driver.take({ waitMs: LONG_MS });
    await queue.complete(first);
    const held = await completed;
    expect(held?.executionId).toBe(second?.executionId);
    const ranOut = driver.take({ waitMs: LONG_MS });
    await queue.heartbeat(held!, 100);
    expect((await ranOut)?.executionId).toBe(third?.executionId);
  });

  it('wakes when a job is released', async () => {
    const { queue } = await opened();
    const job = await driver.put();
    const held = await driver.mustTake();
    const waiting = driver.take({ waitMs: LONG_MS });
    await queue.release(held);
    expect((await waiting)?.executionId).toBe(job.executionId);
  });

  it('stops waiting when the signal aborts, without losing a job', async () => {
    await opened();
    const aborted = new AbortController();
    const waiting = Array.from({ length: 5 }, () => driver.take({ waitMs: LONG_MS, signal: aborted.signal }));
    aborted.abort();
    const jobs = await driver.putAll({}, {}, {});
    expect(await Promise.all(waiting)).toEqual([null, null, null, null, null]);
    expect(await driver.take({ waitMs: LONG_MS, signal: aborted.signal })).toBeNull();
    const taken = [await driver.take({ waitMs: LONG_MS }), await driver.take(), await driver.take()];
    expect(taken.map((job) => job?.executionId).toSorted()).toEqual(jobs.map((job) => job.executionId).toSorted());
  });

  it('passes an aborted caller’s wake-up to the callers that still wait', async () => {
    await opened();
    const aborted = new AbortController();
    const leaving = driver.take({ waitMs: LONG_MS, signal: aborted.signal });
    const staying = driver.take({ waitMs: LONG_MS });
    const put = driver.put();
    aborted.abort();
    expect(await leaving).toBeNull();
    const job = await put;
    expect((await staying)?.executionId).toBe(job.executionId);
    await eventually(async () => expect(await driver.stateOf(job)).toBe('leased'));
  });
}
