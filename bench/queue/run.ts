/**
 * Questions: how much do fair scheduling, limits and leases cost, compared with the minimum of a queue in Redis (a
 * list, and a second list for jobs in progress)? And does the queue slow down as it grows?
 * One cycle: take a job, complete it, enqueue another. Same server, rounds interleaved; medians.
 * Run: npm run bench -- queue   (ROUNDS=5 ROUND_MS=2000 by default)
 */
import type { Redis } from 'ioredis';

import { closeRedis } from '../../src/platform/redis/create-redis.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import type { Job } from '../../src/queue/job-queue.js';
import { RedisJobQueue } from '../../src/queue/redis-job-queue.js';
import { startPrivateRedis } from '../../test/support/redis.js';
import { median } from '../figures.js';

const ROUNDS = Number(process.env.ROUNDS ?? 5);
const ROUND_MS = Number(process.env.ROUND_MS ?? 2_000);
const CALLERS = 16;

interface Contender {
  readonly name: string;
  readonly waiting: number;
  readonly users: number;
  enqueue(job: Job): Promise<unknown>;
  takeAndComplete(): Promise<void>;
}

function jobQueue(redis: Redis, waiting: number, users: number, ageingIntervalMs = 3_600_000): Contender {
  const limits = { userConcurrencyMax: 5, ageingIntervalMs };
  const queue = new RedisJobQueue({
    redis,
    namespace: `bench-${waiting}-${ageingIntervalMs}`,
    ...limits,
    log: silentLog,
  });
  return {
    name: `job queue, ${waiting} waiting of ${users} users, a band up every ${ageingIntervalMs / 1_000} s`,
    waiting,
    users,
    enqueue: (job) => queue.enqueue(job),
    async takeAndComplete() {
      const job = await queue.reserve({ workerId: 'bench', leaseMs: 60_000, waitMs: 0 });
      if (!job || !(await queue.complete(job))) throw new Error('the queue ran dry');
    },
  };
}

function plainList(redis: Redis, waiting: number): Contender {
  return {
    name: `plain list, ${waiting} waiting`,
    waiting,
    users: 1,
    enqueue: (job) => redis.lpush('bench-list', JSON.stringify(job)),
    async takeAndComplete() {
      const job = await redis.lmove('bench-list', 'bench-busy', 'RIGHT', 'LEFT');
      if (!job || (await redis.lrem('bench-busy', 1, job)) !== 1) throw new Error('the list ran dry');
    },
  };
}

let jobs = 0;

function nextJob(contender: Contender): Job {
  jobs += 1;
  const executionId = `00000000-0000-7000-8000-${String(jobs).padStart(12, '0')}`;
  const userId = `11111111-0000-7000-8000-${String(jobs % contender.users).padStart(12, '0')}`;
  return { executionId, attempt: 1, userId, priority: jobs % 11 };
}

async function fill(contender: Contender): Promise<void> {
  for (let left = contender.waiting; left > 0; left -= CALLERS) {
    const batch = Array.from({ length: Math.min(left, CALLERS) }, () => contender.enqueue(nextJob(contender)));
    await Promise.all(batch);
  }
}

/** @returns cycles per second */
async function round(contender: Contender): Promise<number> {
  const start = performance.now();
  let cycles = 0;
  const caller = async () => {
    for (; performance.now() - start < ROUND_MS; cycles += 1) {
      await contender.takeAndComplete();
      await contender.enqueue(nextJob(contender));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return cycles / ((performance.now() - start) / 1_000);
}

const server = await startPrivateRedis();
const redis = await server.connect();
try {
  const contenders = [
    plainList(redis, 100),
    jobQueue(redis, 100, 10),
    jobQueue(redis, 100_000, 10_000),
    // More jobs are due to rise a band than the calls can move: the worst case of ageing for throughput.
    jobQueue(redis, 20_000, 2_000, 1_000),
  ];
  const rates = new Map<Contender, number[]>();
  for (const contender of contenders) await fill(contender);
  const memory = /used_memory_human:(\S+)/.exec(await redis.info('memory'))?.[1];
  for (let at = 0; at < ROUNDS; at += 1) {
    for (const one of contenders) rates.set(one, [...(rates.get(one) ?? []), await round(one)]);
  }
  const peer = median(rates.get(contenders[0]!)!);
  for (const one of contenders) {
    const rate = median(rates.get(one)!);
    console.log(`${one.name}: ${rate.toFixed(0)} cycles/s, ratio to the plain list ${(rate / peer).toFixed(2)}`);
  }
  console.log(`Redis holds ${memory}`);
} finally {
  await closeRedis(redis);
  await server.stop();
}
