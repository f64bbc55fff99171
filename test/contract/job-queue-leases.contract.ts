import { randomUUID } from 'node:crypto';

import type { ReservedJob } from '../../src/queue/job-queue.js';
import { eventually } from '../support/eventually.js';
import { type OpenQueue, QueueDriver, type QueueLimits } from './job-queue.contract.js';

/** How leases are held, end, and are restored after Redis has lost its data. */
export function describeJobLeases(open: OpenQueue): void {
  let driver: QueueDriver;
  const opened = async (limits?: Partial<QueueLimits>) => {
    driver = await QueueDriver.open(open, limits);
    return driver;
  };
  afterEach(() => driver.close());

  const lostLease = (job: Partial<ReservedJob> = {}): ReservedJob => ({
    executionId: randomUUID(),
    attempt: 1,
    userId: 'ada',
    priority: 5,
    leaseToken: randomUUID(),
    enqueuedAt: Date.now() - 5_000,
    ...job,
  });

  it('removes a completed job, once', async () => {
    const { queue } = await opened();
    await driver.put();
    const job = await driver.mustTake();
    expect(await queue.complete(job)).toBe(true);
    expect(await queue.complete(job)).toBe(false);
    expect(await driver.stateOf(job)).toBe('missing');
  });

  it('accepts commands only from the holder of the lease token', async () => {
    const { queue } = await opened();
    await driver.put();
    const job = await driver.mustTake();
    const impostor = { ...job, leaseToken: randomUUID() };
    expect(await queue.heartbeat(impostor, 0)).toBe(false);
    expect(await queue.complete(impostor)).toBe(false);
    expect(await queue.release(impostor)).toBe(false);
    expect(await driver.stateOf(job)).toBe('leased');
    expect(await queue.heartbeat(job, 60_000)).toBe(true);
  });

  it('puts a released job first in its user’s queue, with its age and without its token', async () => {
    const { queue } = await opened();
    const [first] = await driver.putAll({}, {});
    const job = await driver.mustTake();
    expect(await queue.release(job)).toBe(true);
    expect(await queue.release(job)).toBe(false);
    expect(await queue.heartbeat(job, 60_000)).toBe(false);
    const again = await driver.mustTake();
    expect(again).toMatchObject({ executionId: first?.executionId, enqueuedAt: job.enqueuedAt });
    expect(again.leaseToken).not.toBe(job.leaseToken);
  });

  it('does not let a user whose jobs are always released keep others waiting', async () => {
    const { queue } = await opened();
    const [, bobs] = await driver.putAll({ userId: 'ada' }, { userId: 'bob' });
    await queue.release(await driver.mustTake());
    expect((await driver.mustTake()).executionId).toBe(bobs?.executionId);
  });

  it('drops a job whose lease expired: the log knows whether it started', async () => {
    const { queue } = await opened();
    await driver.put();
    const job = await driver.mustTake();
    await driver.expire(job);
    expect(await driver.stateOf(job)).toBe('missing');
    expect(await queue.stats()).toMatchObject({ waiting: 0, leased: 0 });
    expect(await queue.heartbeat(job, 60_000)).toBe(false);
    expect(await queue.complete(job)).toBe(false);
    expect(await queue.release(job)).toBe(false);
    expect(await driver.take()).toBeNull();
  });

  it('accepts a job again after its lease expired', async () => {
    const { queue } = await opened();
    const job = await driver.put();
    await driver.expire(await driver.mustTake());
    expect(await queue.enqueue(job)).toBe(true);
    expect((await driver.mustTake()).executionId).toBe(job.executionId);
  });

  it('keeps a lease while heartbeats arrive, and lets it expire afterwards', async () => {
    const { queue } = await opened();
    await driver.put();
    const job = await driver.mustTake({ leaseMs: 60_000 });
    expect(await queue.heartbeat(job, 50)).toBe(true);
    await eventually(async () => expect(await driver.stateOf(job)).toBe('missing'));
  });

  it('frees the user’s slot when a lease expires', async () => {
    await opened({ userConcurrencyMax: 1 });
    const [, second] = await driver.putAll({}, {});
    const job = await driver.mustTake();
    expect(await driver.take()).toBeNull();
    await driver.expire(job);
    expect((await driver.mustTake()).executionId).toBe(second?.executionId);
  });

  it('drops the leases of one worker, and frees its users’ slots', async () => {
    const { queue } = await opened({ userConcurrencyMax: 2 });
    const [first, second, third] = await driver.putAll({}, {}, {});
    const dead = await queue.reserve({ workerId: 'dead', leaseMs: 3_600_000, waitMs: 0 });
    const living = await driver.mustTake();
    expect([dead?.executionId, living.executionId]).toEqual([first!.executionId, second!.executionId]);
    expect(await driver.take()).toBeNull();
    expect(await queue.dropLeases('dead')).toBe(1);
    expect(await queue.inspect([first!, second!, third!])).toEqual(['missing', 'leased', 'waiting']);
    expect(await queue.complete(dead!)).toBe(false);
    expect((await driver.mustTake()).executionId).toBe(third!.executionId);
    expect(await queue.dropLeases('dead')).toBe(0);
    expect(await queue.enqueue(first!)).toBe(true);
  });

  it('drops a restored lease together with its worker’s other leases', async () => {
    const { queue } = await opened();
    const job = lostLease();
    await queue.restoreLease(job, 'worker-1', 60_000);
    expect(await queue.dropLeases('worker-2')).toBe(0);
    expect(await queue.dropLeases('worker-1')).toBe(1);
    expect(await driver.stateOf(job)).toBe('missing');
  });

  it('restores a lost lease, and counts it against the user’s limit', async () => {
    const { queue } = await opened({ userConcurrencyMax: 1 });
    const job = lostLease();
    expect(await queue.heartbeat(job, 60_000)).toBe(false);
    expect(await queue.restoreLease(job, 'worker-1', 60_000)).toBe(true);
    driver.hold(job);
    expect(await driver.stateOf(job)).toBe('leased');
    expect(await queue.heartbeat(job, 60_000)).toBe(true);
    await driver.put();
    expect(await driver.take()).toBeNull();
    expect(await queue.complete(job)).toBe(true);
    await driver.mustTake();
  });

  it('restores more leases than the user’s limit: the jobs are already running', async () => {
    const { queue } = await opened({ userConcurrencyMax: 1 });
    const jobs = [lostLease(), lostLease()] as const;
    for (const job of jobs) {
      expect(await queue.restoreLease(job, 'worker-1', 60_000)).toBe(true);
      driver.hold(job);
    }
    await driver.put();
    await queue.complete(jobs[0]);
    expect(await driver.take()).toBeNull();
    await queue.complete(jobs[1]);
    await driver.mustTake();
  });

  it('does not restore the lease of a job that another worker holds', async () => {
    const { queue } = await opened();
    const put = await driver.put();
    const job = await driver.mustTake();
    const late = lostLease({ executionId: put.executionId });
    expect(await queue.restoreLease(late, 'worker-2', 60_000)).toBe(false);
    expect(await queue.heartbeat(job, 60_000)).toBe(true);
    expect(await queue.restoreLease(job, 'worker-1', 60_000)).toBe(true);
  });

  it('removes a restored job from the queue that it was in meanwhile', async () => {
    const { queue } = await opened();
    const [waiting, delayed] = [lostLease(), lostLease()];
    await driver.put({ executionId: waiting.executionId });
    await driver.put({ executionId: delayed.executionId, notBefore: Date.now() + 3_600_000 });
    for (const job of [waiting, delayed]) {
      expect(await queue.restoreLease(job, 'worker-1', 60_000)).toBe(true);
      driver.hold(job);
    }
    expect(await queue.inspect([waiting, delayed])).toEqual(['leased', 'leased']);
    expect(await driver.take()).toBeNull();
  });

  it('puts a restored job at the front of its user’s queue when it is released', async () => {
    const { queue } = await opened();
    await driver.put();
    const job = lostLease();
    await queue.restoreLease(job, 'worker-1', 60_000);
    expect(await queue.release(job)).toBe(true);
    expect(await driver.mustTake()).toMatchObject({ executionId: job.executionId, enqueuedAt: job.enqueuedAt });
  });

  it('lists the live workers, with their last heartbeats', async () => {
    const { queue } = await opened();
    const heartbeat = (workerId: string, running: string[]) => ({
      workerId,
      running,
      capacity: 4,
      nested: { list: [] },
    });
    await queue.workerHeartbeat(heartbeat('w1', []), 60_000);
    await queue.workerHeartbeat(heartbeat('w1', ['a:1']), 60_000);
    await queue.workerHeartbeat(heartbeat('w2', []), 60_000);
    const alive = (await queue.workers()).toSorted((a, b) => a.workerId.localeCompare(b.workerId));
    expect(alive).toEqual([heartbeat('w1', ['a:1']), heartbeat('w2', [])]);
    await queue.workerGone('w2');
    await queue.workerHeartbeat(heartbeat('w3', []), 40);
    await eventually(async () => expect(await queue.workers()).toEqual([heartbeat('w1', ['a:1'])]));
    await queue.workerGone('w1');
    expect(await queue.workers()).toEqual([]);
  });
}
