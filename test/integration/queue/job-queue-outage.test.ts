import { randomUUID } from 'node:crypto';

import type { Redis } from 'ioredis';

import { Unavailable } from '../../../src/kernel/errors.js';
import { closeRedis } from '../../../src/platform/redis/create-redis.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { RedisJobQueue } from '../../../src/queue/redis-job-queue.js';
import { eventually } from '../../support/eventually.js';
import { type PrivateRedis, startPrivateRedis } from '../../support/redis.js';

const LONG_MS = 50_000;

const job = (userId = 'ada') => ({ executionId: randomUUID(), attempt: 1, userId, priority: 5 });

describe('the job queue while Redis fails', () => {
  let server: PrivateRedis;
  let opened: { queue: RedisJobQueue; redis: Redis }[];

  beforeEach(async () => {
    server = await startPrivateRedis();
    opened = [];
  });
  afterEach(async () => {
    for (const { queue, redis } of opened) {
      await queue.close();
      await closeRedis(redis);
    }
    await server.stop();
  });

  const openQueue = async (options: { userConcurrencyMax?: number } = {}) => {
    const redis = await server.connect();
    const limits = { userConcurrencyMax: 5, ageingIntervalMs: 60_000, ...options };
    const queue = new RedisJobQueue({ redis, namespace: 'test', ...limits, log: silentLog });
    opened.push({ queue, redis });
    return { queue, redis };
  };
  const reserve = (queue: RedisJobQueue, waitMs = 0) => queue.reserve({ workerId: 'w', leaseMs: LONG_MS, waitMs });
  const somebodyWaits = (redis: Redis) =>
    eventually(async () => expect(await redis.info('clients')).toContain('blocked_clients:1'));
  const mustReserve = async (queue: RedisJobQueue) => {
    const reserved = await reserve(queue);
    if (!reserved) throw new Error('there was no job to reserve');
    return reserved;
  };

  it('reports at once that Redis is unavailable, and works again when it is back', async () => {
    const { queue } = await openQueue();
    await queue.enqueue(job());
    await server.kill();
    await eventually(() => expect(queue.stats()).rejects.toThrow(Unavailable));
    await expect(queue.enqueue(job())).rejects.toThrow(Unavailable);
    await expect(reserve(queue, LONG_MS)).rejects.toThrow(Unavailable);
    await expect(queue.inspect([job()])).rejects.toThrow(Unavailable);
    await expect(queue.workerHeartbeat({ workerId: 'w', running: [] }, 1_000)).rejects.toThrow(Unavailable);
    await server.start();
    await eventually(async () => expect((await queue.stats()).waiting).toBe(0));
    expect(await queue.enqueue(job())).toBe(true);
  });

  it('continues to wait after a restart', async () => {
    const { queue, redis } = await openQueue();
    const waiting = [reserve(queue, LONG_MS), reserve(queue, LONG_MS)];
    await somebodyWaits(redis);
    await server.kill();
    await eventually(() => expect(queue.stats()).rejects.toThrow(Unavailable));
    await server.start();
    const other = await openQueue();
    const jobs = [job(), job()];
    for (const one of jobs) await other.queue.enqueue(one);
    const reserved = (await Promise.all(waiting)).map((one) => one?.executionId);
    expect(reserved.toSorted()).toEqual(jobs.map((one) => one.executionId).toSorted());
  });

  it('reports a Redis that does not respond, and works again when it does', async () => {
    const { queue } = await openQueue();
    server.freeze();
    await expect(queue.enqueue(job())).rejects.toThrow(Unavailable);
    server.thaw();
    await eventually(async () => expect(await queue.enqueue(job())).toBe(true));
    expect(await reserve(queue, LONG_MS)).toMatchObject({ userId: 'ada' });
  });

  it('loads its scripts again after Redis has forgotten them', async () => {
    const { queue, redis } = await openQueue();
    await queue.enqueue(job());
    await redis.script('FLUSH');
    const held = await mustReserve(queue);
    await redis.script('FLUSH');
    expect(await queue.complete(held)).toBe(true);
  });

  it('restores the leases of healthy runs after a flush', async () => {
    const { queue, redis } = await openQueue({ userConcurrencyMax: 2 });
    for (let at = 0; at < 4; at += 1) await queue.enqueue(job());
    const running = [await mustReserve(queue), await mustReserve(queue)];
    await redis.flushall();
    expect(await queue.inspect(running)).toEqual(['missing', 'missing']);
    for (const one of running) {
      expect(await queue.heartbeat(one, LONG_MS)).toBe(false);
      expect(await queue.restoreLease(one, 'w', LONG_MS)).toBe(true);
      expect(await queue.heartbeat(one, LONG_MS)).toBe(true);
    }
    const again = job();
    await queue.enqueue(again);
    expect(await reserve(queue)).toBeNull();
    await queue.complete(running[0]!);
    expect((await mustReserve(queue)).executionId).toBe(again.executionId);
  });

  it('counts a user’s leases right after a flush, whichever job is completed', async () => {
    const { queue, redis } = await openQueue({ userConcurrencyMax: 1 });
    await queue.enqueue(job());
    const before = await mustReserve(queue);
    await redis.flushall();
    await queue.enqueue(job());
    await queue.enqueue(job());
    await mustReserve(queue);
    // It frees no slot: it has none.
    expect(await queue.complete(before)).toBe(false);
    expect(await reserve(queue)).toBeNull();
    expect(await queue.stats()).toMatchObject({ waiting: 1, leased: 1 });
  });

  it('wakes waiting callers for jobs that are enqueued after a flush', async () => {
    const { queue, redis } = await openQueue();
    const waiting = reserve(queue, LONG_MS);
    await somebodyWaits(redis);
    await redis.flushall();
    const one = job();
    await queue.enqueue(one);
    expect((await waiting)?.executionId).toBe(one.executionId);
  });

  it('reports a Redis without memory as an outage, and still completes jobs', async () => {
    const { queue, redis } = await openQueue();
    await queue.enqueue(job());
    const held = await mustReserve(queue);
    await redis.config('SET', 'maxmemory', '1');
    await expect(queue.enqueue(job())).rejects.toThrow(Unavailable);
    expect(await queue.complete(held)).toBe(true);
  });

  it('closes while Redis is unavailable, and ends waiting calls', async () => {
    const { queue, redis } = await openQueue();
    const waiting = reserve(queue, LONG_MS);
    await somebodyWaits(redis);
    await server.kill();
    await eventually(() => expect(queue.stats()).rejects.toThrow(Unavailable));
    await queue.close();
    expect(await waiting).toBeNull();
    expect(await reserve(queue, LONG_MS)).toBeNull();
  });
});
