import { eventually } from '../support/eventually.js';
import { type OpenQueue, QueueDriver, type QueueLimits } from './job-queue.contract.js';

/**
 * The order of service: bands, rotation of users, limits and ageing, and the effect of `enqueue` and `cancel` on it.
 */
export function describeJobOrder(open: OpenQueue): void {
  let driver: QueueDriver;
  const opened = async (limits?: Partial<QueueLimits>) => {
    driver = await QueueDriver.open(open, limits);
    return driver;
  };
  afterEach(() => driver.close());

  it('returns the enqueued job', async () => {
    const { queue } = await opened();
    const notBefore = Date.now() - 1_000;
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const job = await driver.put({ userId: 'ada', priority: 7, attempt: 3, notBefore, traceparent });
    const reserved = await driver.mustTake();
    expect(reserved).toEqual({ ...job, leaseToken: expect.any(String), enqueuedAt: expect.any(Number) });
    expect(await queue.inspect([job])).toEqual(['leased']);
  });

  it('adds a job once, whatever its state', async () => {
    const { queue } = await opened();
    const delayed = await driver.put({ notBefore: Date.now() + 3_600_000 });
    const leased = await driver.put();
    await driver.mustTake();
    const waiting = await driver.put();
    for (const job of [delayed, leased, waiting]) expect(await queue.enqueue({ ...job, priority: 10 })).toBe(false);
    expect(await queue.inspect([delayed, leased, waiting])).toEqual(['delayed', 'leased', 'waiting']);
  });

  it('adds another attempt of an execution beside the first', async () => {
    await opened();
    const first = await driver.put();
    const second = await driver.put({ executionId: first.executionId, attempt: 2 });
    expect([await driver.stateOf(first), await driver.stateOf(second)]).toEqual(['waiting', 'waiting']);
  });

  it('serves the highest band first', async () => {
    await opened();
    const jobs = await driver.putAll({ priority: 0 }, { priority: 10 }, { priority: 5 }, { priority: 9 });
    const byPriority = jobs.toSorted((a, b) => b.priority - a.priority);
    expect(await driver.takeAll()).toEqual(byPriority.map((job) => job.executionId));
  });

  it('serves one user’s jobs in the order of arrival', async () => {
    await opened();
    const jobs = await driver.putAll({}, {}, {}, {});
    expect(await driver.takeAll()).toEqual(jobs.map((job) => job.executionId));
  });

  it('serves users in rotation, however many jobs one of them has', async () => {
    await opened();
    const [a1, a2, a3, b1, b2, c1] = await driver.putAll(
      ...['ada', 'ada', 'ada', 'bob', 'bob', 'cy'].map((userId) => ({ userId })),
    );
    const order = [a1, b1, c1, a2, b2, a3].map((job) => job?.executionId);
    expect(await driver.takeAll()).toEqual(order);
  });

  it('gives a user no more leases than the limit, and another one when a lease ends', async () => {
    const { queue } = await opened({ userConcurrencyMax: 2 });
    const [, , third, other] = await driver.putAll({}, {}, {}, { userId: 'bob', priority: 0 });
    const held = await driver.mustTake();
    await driver.mustTake();
    expect((await driver.take())?.executionId).toBe(other?.executionId);
    expect(await driver.take()).toBeNull();
    await queue.complete(held);
    expect((await driver.take())?.executionId).toBe(third?.executionId);
  });

  it('counts the limit over all bands, and serves the highest band first when a lease ends', async () => {
    const { queue } = await opened({ userConcurrencyMax: 1 });
    await driver.put({ priority: 10 });
    const held = await driver.mustTake();
    const [low, high] = await driver.putAll({ priority: 1 }, { priority: 8 });
    expect(await driver.take()).toBeNull();
    await queue.complete(held);
    const next = await driver.mustTake();
    expect(next.executionId).toBe(high?.executionId);
    await queue.complete(next);
    expect((await driver.take())?.executionId).toBe(low?.executionId);
  });

  it('moves a job that has waited long ahead of newer jobs of higher priority', async () => {
    const { queue } = await opened({ ageingIntervalMs: 100 });
    const old = await driver.put({ userId: 'ada', priority: 0 });
    await eventually(async () => expect((await queue.stats()).oldestWaitingMs).toBeGreaterThan(1_100));
    const fresh = await driver.put({ userId: 'bob', priority: 9 });
    expect(await driver.takeAll()).toEqual([old.executionId, fresh.executionId]);
  });

  it('distinguishes users whose ids start with the same characters', async () => {
    await opened({ userConcurrencyMax: 1 });
    const [a, , ab] = await driver.putAll({ userId: 'a' }, { userId: 'a' }, { userId: 'a-b' });
    expect(await driver.takeAll()).toEqual([a?.executionId, ab?.executionId]);
  });

  it('cancels a job without a lease, and returns the state that it was in', async () => {
    const { queue } = await opened();
    const leased = await driver.put();
    await driver.mustTake();
    const [waiting, delayed] = await driver.putAll({}, { notBefore: Date.now() + 3_600_000 });
    expect(await queue.cancel(waiting!)).toBe('waiting');
    expect(await queue.cancel(delayed!)).toBe('delayed');
    expect(await queue.cancel(leased)).toBe('leased');
    expect(await queue.cancel({ executionId: 'unknown', attempt: 1 })).toBe('missing');
    expect(await queue.inspect([waiting!, leased, delayed!])).toEqual(['missing', 'leased', 'missing']);
    expect(await driver.take()).toBeNull();
  });

  it('counts the jobs, and reports the age of the oldest waiting job', async () => {
    const { queue } = await opened();
    expect(await queue.stats()).toEqual({ waiting: 0, delayed: 0, leased: 0, oldestWaitingMs: 0 });
    await driver.putAll({}, {}, {}, { notBefore: Date.now() + 3_600_000 });
    await driver.mustTake();
    expect(await queue.stats()).toMatchObject({ waiting: 2, delayed: 1, leased: 1 });
    await eventually(async () => expect((await queue.stats()).oldestWaitingMs).toBeGreaterThan(20));
  });
}
