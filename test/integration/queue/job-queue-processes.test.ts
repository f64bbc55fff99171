import { randomUUID } from 'node:crypto';

import type { Redis } from 'ioredis';

import { closeRedis } from '../../../src/platform/redis/create-redis.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { RedisJobQueue } from '../../../src/queue/redis-job-queue.js';
import { eventually } from '../../support/eventually.js';
import { type PrivateRedis, startPrivateRedis } from '../../support/redis.js';

const LONG_MS = 50_000;

const job = (fields: { userId?: string; notBefore?: number } = {}) => ({
  executionId: randomUUID(),
  attempt: 1,
  userId: 'ada',
  priority: 5,
  ...fields,
});

/** Several queues, each with its own connections, as in several processes. */
describe('the job queue between processes', () => {
  let server: PrivateRedis;
  let redis: Redis;
  let processes: { queue: RedisJobQueue; redis: Redis }[];

  beforeEach(async () => {
    server = await startPrivateRedis();
    redis = await server.connect();
    processes = [];
  });
  afterEach(async () => {
    for (const one of processes) {
      await one.queue.close();
      await closeRedis(one.redis);
    }
    await closeRedis(redis);
    await server.stop();
  });

  const process = async (limits: { userConcurrencyMax?: number; ageingIntervalMs?: number } = {}) => {
    const connection = await server.connect();
    const options = { namespace: 'test', userConcurrencyMax: 100, ageingIntervalMs: 60_000, log: silentLog, ...limits };
    const queue = new RedisJobQueue({ redis: connection, ...options });
    processes.push({ queue, redis: connection });
    return queue;
  };
  const reserve = (queue: RedisJobQueue, waitMs = LONG_MS) =>
    queue.reserve({ workerId: 'w', leaseMs: LONG_MS, waitMs });

  const blockedClients = async () => Number(/blocked_clients:(\d+)/.exec(await redis.info('clients'))?.[1]);
  const calls = async (command: string) =>
    Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await redis.info('commandstats'))?.[1] ?? 0);

  it('waits on one connection per process, and sends nothing while idle', async () => {
    const queue = await process();
    const waiting = Array.from({ length: 50 }, () => reserve(queue));
    await eventually(async () => expect(await blockedClients()).toBe(1));
    await redis.config('RESETSTAT');
    await eventually(async () => expect(await calls('blpop')).toBeGreaterThanOrEqual(2));
    // One check whenever the blocking call returns; fifty polling callers would make hundreds.
    expect(await calls('evalsha')).toBeLessThanOrEqual(2 * (await calls('blpop')));
    await queue.close();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => null));
  });

  /** Every process reserves and completes until all jobs are done. @returns their ids, in order of completion */
  const drain = async (queues: RedisJobQueue[], jobsMax: number) => {
    const done: string[] = [];
    const worker = async (queue: RedisJobQueue) => {
      while (done.length < jobsMax) {
        const reserved = await reserve(queue, 500);
        if (reserved && (await queue.complete(reserved))) done.push(reserved.executionId);
      }
    };
    await Promise.all(queues.flatMap((queue) => [worker(queue), worker(queue), worker(queue)]));
    return done;
  };

  it('runs every job once, while many processes wait and jobs move to higher bands', async () => {
    const limits = { userConcurrencyMax: 2, ageingIntervalMs: 1 };
    const queues = [await process(limits), await process(limits), await process(limits)];
    const producer = await process(limits);
    const jobs = Array.from({ length: 300 }, (_, at) => ({ ...job({ userId: `user-${at % 7}` }), priority: at % 11 }));
    const draining = drain(queues, jobs.length);
    await Promise.all(jobs.map((one) => producer.enqueue(one)));
    expect((await draining).toSorted()).toEqual(jobs.map((one) => one.executionId).toSorted());
    expect(await redis.keys('*')).toEqual([]);
  });

  it('serves all jobs that become due at once, even if one call moves fewer', async () => {
    const queues = [await process(), await process()];
    const producer = await process();
    const draining = drain(queues, 250);
    const notBefore = Date.now() + 500;
    const jobs = Array.from({ length: 250 }, () => job({ notBefore }));
    await Promise.all(jobs.map((one) => producer.enqueue(one)));
    expect((await draining).toSorted()).toEqual(jobs.map((one) => one.executionId).toSorted());
    expect(await redis.keys('*')).toEqual([]);
  });

  it('removes all expired leases, even if one call moves fewer', async () => {
    const queue = await process({ userConcurrencyMax: 1_000 });
    const jobs = Array.from({ length: 250 }, () => job());
    await Promise.all(jobs.map((one) => queue.enqueue(one)));
    for (const _ of jobs) await queue.reserve({ workerId: 'w', leaseMs: 1, waitMs: 0 });
    await eventually(async () => expect((await queue.stats()).leased).toBe(0));
    await eventually(async () => {
      await reserve(queue, 0);
      expect(await redis.keys('*')).toEqual([]);
    });
  });

  it('never exceeds a user’s limit of leases, whichever worker reserves', async () => {
    const queues = [await process({ userConcurrencyMax: 3 }), await process({ userConcurrencyMax: 3 })];
    for (let at = 0; at < 30; at += 1) await queues[0]!.enqueue(job({ userId: 'ada' }));
    let running = 0;
    let runningMax = 0;
    let done = 0;
    const worker = async (queue: RedisJobQueue) => {
      while (done < 30) {
        const reserved = await reserve(queue, 200);
        if (!reserved) continue;
        running += 1;
        runningMax = Math.max(runningMax, running);
        await queue.heartbeat(reserved, LONG_MS);
        running -= 1;
        done += 1;
        await queue.complete(reserved);
      }
    };
    await Promise.all(queues.flatMap((queue) => [worker(queue), worker(queue), worker(queue), worker(queue)]));
    expect(runningMax).toBeLessThanOrEqual(3);
  });

  it('wakes a process for a delayed job after the process with the alarm has gone', async () => {
    const [first, second, producer] = [await process(), await process(), await process()];
    const gone = reserve(first);
    await eventually(async () => expect(await blockedClients()).toBe(1));
    const staying = reserve(second);
    await eventually(async () => expect(await blockedClients()).toBe(2));
    const delayed = job({ notBefore: Date.now() + 500 });
    await producer.enqueue(delayed);
    await first.close();
    expect(await gone).toBeNull();
    expect((await staying)?.executionId).toBe(delayed.executionId);
  });

  it('wakes a second process for jobs that the first leaves', async () => {
    const [first, second, producer] = [await process(), await process(), await process()];
    const waiting = [reserve(first), reserve(second)];
    await eventually(async () => expect(await blockedClients()).toBe(2));
    const jobs = [job(), job()];
    await Promise.all(jobs.map((one) => producer.enqueue(one)));
    const taken = (await Promise.all(waiting)).map((one) => one?.executionId);
    expect(taken.toSorted()).toEqual(jobs.map((one) => one.executionId).toSorted());
  });
});
