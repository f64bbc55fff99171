import { randomUUID } from 'node:crypto';

import { SpanKind } from '@opentelemetry/api';
import type { Redis } from 'ioredis';

import { Unavailable } from '../kernel/errors.js';
import type { LuaScript } from '../platform/redis/lua-script.js';
import type { Log } from '../platform/telemetry/log.js';
import { currentTraceparent, inSpan } from '../platform/telemetry/trace-context.js';
import {
  type Job,
  jobId,
  JobQueue,
  type JobState,
  type QueueStats,
  type ReservedJob,
  type WorkerHeartbeat,
} from './job-queue.js';
import { checkJob, notBeforeOf, reservedJob } from './job-record.js';
import { queueKeys, wakeKey, workerKeys } from './queue-keys.js';
import {
  CANCEL,
  COMPLETE,
  DROP_LEASES,
  ENQUEUE,
  HEARTBEAT,
  INSPECT,
  PASS_WAKE_TOKEN,
  RELEASE,
  RESERVE,
  RESTORE_LEASE,
  STATS,
  WORKER_GONE,
  WORKER_HEARTBEAT,
  WORKERS,
} from './queue-scripts.js';
import { WakeTokenListener } from './wake-token-listener.js';

/** Ids per script call of `inspect`; more ids take several calls. */
const INSPECT_BATCH_MAX = 1_000;

/** Interval at which a waiting reserve retries while Redis is unavailable, ms. */
const OUTAGE_RETRY_MS = 250;

export interface RedisJobQueueOptions {
  readonly redis: Redis;
  /** First part of every key, and its hash tag. */
  readonly namespace: string;
  /** Leases that one user may hold at a time, over all workers. */
  readonly userConcurrencyMax: number;
  /** A job that has waited this long moves up one band. */
  readonly ageingIntervalMs: number;
  readonly log: Log;
}

interface Taken {
  readonly job?: ReservedJob;
  /** Until something may change with time; -1: never. */
  readonly changeInMs: number;
}

type ReserveRequest = Parameters<JobQueue['reserve']>[0];

/**
 * The job queue in Redis 7: one script per operation, Redis' clock for every decision.
 * Every operation throws `Unavailable` while Redis is unavailable, and may then be repeated. A `reserve` that already
 * waits keeps waiting instead. If the reply to a reserve is lost, its lease has no holder and expires.
 * An attempt whose lease expired is removed, and the queue never runs it again: only the log knows whether it started.
 */
export class RedisJobQueue extends JobQueue {
  readonly #options: RedisJobQueueOptions;
  readonly #keys: readonly string[];
  readonly #workerKeys: readonly string[];
  readonly #wakeTokens: WakeTokenListener;

  constructor(options: RedisJobQueueOptions) {
    super();
    this.#options = options;
    this.#keys = queueKeys(options.namespace);
    this.#workerKeys = workerKeys(options.namespace);
    this.#wakeTokens = new WakeTokenListener({
      redis: options.redis,
      key: wakeKey(options.namespace),
      passOn: () => this.#run(PASS_WAKE_TOKEN),
      log: options.log,
    });
  }

  async enqueue(job: Job): Promise<boolean> {
    checkJob(job);
    const attributes = {
      'voidrunner.execution_id': job.executionId,
      'voidrunner.attempt': job.attempt,
      'voidrunner.priority': job.priority,
    };
    return inSpan('queue.enqueue', { kind: SpanKind.PRODUCER, attributes, traceparent: job.traceparent }, async () => {
      const traceparent = job.traceparent ?? currentTraceparent() ?? '';
      return this.#did(ENQUEUE, jobId(job), job.userId, job.priority, notBeforeOf(job), traceparent);
    });
  }

  async reserve(request: ReserveRequest): Promise<ReservedJob | null> {
    const { waitMs, signal } = request;
    const isOver = (): boolean => signal?.aborted === true || this.#wakeTokens.closed;
    if (isOver()) return null;
    const until = performance.now() + waitMs;
    let found = await this.#take(request);
    if (found.job || waitMs <= 0 || isOver()) return found.job ?? null;

    const waiter = this.#wakeTokens.enter();
    try {
      for (;;) {
        if (found.changeInMs >= 0) this.#wakeTokens.alarmIn(found.changeInMs);
        if (!(await waiter.wait(until - performance.now(), signal))) return null;
        found = await this.#take(request).catch(retryLater);
        if (found.job) return found.job;
      }
    } finally {
      waiter.leave();
    }
  }

  heartbeat(job: ReservedJob, leaseMs: number): Promise<boolean> {
    return this.#did(HEARTBEAT, jobId(job), job.leaseToken, leaseMs);
  }

  restoreLease(job: ReservedJob, workerId: string, leaseMs: number): Promise<boolean> {
    checkJob(job);
    const lease = [job.leaseToken, leaseMs, workerId] as const;
    const record = [job.userId, job.priority, job.enqueuedAt, notBeforeOf(job), job.traceparent ?? ''] as const;
    return this.#did(RESTORE_LEASE, jobId(job), ...lease, ...record);
  }

  complete(job: ReservedJob): Promise<boolean> {
    return this.#did(COMPLETE, jobId(job), job.leaseToken);
  }

  release(job: ReservedJob): Promise<boolean> {
    return this.#did(RELEASE, jobId(job), job.leaseToken);
  }

  cancel(id: { executionId: string; attempt: number }): Promise<JobState> {
    return this.#run(CANCEL, jobId(id)) as Promise<JobState>;
  }

  /** Atomic for up to 1,000 ids; more ids take several calls. */
  async inspect(ids: readonly { executionId: string; attempt: number }[]): Promise<readonly JobState[]> {
    const states: JobState[] = [];
    for (let from = 0; from < ids.length; from += INSPECT_BATCH_MAX) {
      const batch = ids.slice(from, from + INSPECT_BATCH_MAX).map(jobId);
      states.push(...((await this.#run(INSPECT, ...batch)) as JobState[]));
    }
    return states;
  }

  async workerHeartbeat(heartbeat: WorkerHeartbeat, ttlMs: number): Promise<void> {
    await this.#runOnWorkers(WORKER_HEARTBEAT, heartbeat.workerId, JSON.stringify(heartbeat), ttlMs);
  }

  async workerGone(workerId: string): Promise<void> {
    await this.#runOnWorkers(WORKER_GONE, workerId);
  }

  async dropLeases(workerId: string): Promise<number> {
    return (await this.#run(DROP_LEASES, workerId)) as number;
  }

  async workers(): Promise<readonly WorkerHeartbeat[]> {
    const heartbeats = (await this.#runOnWorkers(WORKERS)) as string[];
    return heartbeats.map((json) => JSON.parse(json) as WorkerHeartbeat);
  }

  async stats(): Promise<QueueStats> {
    const counts = (await this.#run(STATS)) as [number, number, number, number];
    const [waiting, delayed, leased, oldestWaitingMs] = counts;
    return { waiting, delayed, leased, oldestWaitingMs };
  }

  /** Ends waiting reserves with null and closes the connection they wait on. The one passed in stays open. */
  close(): Promise<void> {
    return this.#wakeTokens.close();
  }

  async #take(request: ReserveRequest): Promise<Taken> {
    const { workerId, leaseMs, signal } = request;
    const reply = (await this.#run(RESERVE, workerId, randomUUID(), leaseMs)) as [0, number] | [1, string, string];
    if (reply[0] === 0) return { changeInMs: reply[1] };
    const job = reservedJob(reply[1], reply[2]);
    if (!signal?.aborted && !this.#wakeTokens.closed) return { job, changeInMs: -1 };
    // The caller is no longer there to run it. If Redis is unavailable now, the lease expires.
    await this.release(job).catch(retryLater);
    return { changeInMs: -1 };
  }

  async #did(script: LuaScript, ...args: readonly (string | number)[]): Promise<boolean> {
    return (await this.#run(script, ...args)) === 1;
  }

  #run(script: LuaScript, ...args: readonly (string | number)[]): Promise<unknown> {
    const { redis, userConcurrencyMax, ageingIntervalMs } = this.#options;
    return script.run(redis, this.#keys, [userConcurrencyMax, ageingIntervalMs, ...args]);
  }

  #runOnWorkers(script: LuaScript, ...args: readonly (string | number)[]): Promise<unknown> {
    return script.run(this.#options.redis, this.#workerKeys, args);
  }
}

function retryLater(error: unknown): Taken {
  if (!(error instanceof Unavailable)) throw error;
  return { changeInMs: OUTAGE_RETRY_MS };
}
