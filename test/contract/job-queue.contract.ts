import { randomUUID } from 'node:crypto';

import type { Job, JobQueue, ReservedJob } from '../../src/queue/job-queue.js';

export interface QueueLimits {
  readonly userConcurrencyMax: number;
  readonly ageingIntervalMs: number;
}

/** Opens an empty queue; `close` fails if a queue without jobs has left keys behind. */
export type OpenQueue = (limits: QueueLimits) => Promise<{ queue: JobQueue; close(): Promise<void> }>;

const NEVER_MS = 3_600_000;

/** Calls the queue for a test, and records the jobs, so that all can be removed again. */
export class QueueDriver {
  readonly #seen = new Map<string, Job>();
  readonly #held = new Map<string, ReservedJob>();

  private constructor(
    readonly queue: JobQueue,
    private readonly closeQueue: () => Promise<void>,
  ) {}

  static async open(open: OpenQueue, limits: Partial<QueueLimits> = {}): Promise<QueueDriver> {
    const { queue, close } = await open({ userConcurrencyMax: 5, ageingIntervalMs: NEVER_MS, ...limits });
    return new QueueDriver(queue, close);
  }

  async put(job: Partial<Job> = {}): Promise<Job> {
    const full = { executionId: randomUUID(), attempt: 1, userId: 'ada', priority: 5, ...job };
    this.#seen.set(`${full.executionId}:${full.attempt}`, full);
    await this.queue.enqueue(full);
    return full;
  }

  async putAll(...jobs: Partial<Job>[]): Promise<Job[]> {
    const put: Job[] = [];
    for (const job of jobs) put.push(await this.put(job));
    return put;
  }

  async take(options: { waitMs?: number; leaseMs?: number; signal?: AbortSignal } = {}): Promise<ReservedJob | null> {
    const request = { workerId: 'worker-1', leaseMs: NEVER_MS, waitMs: 0, ...options };
    const job = await this.queue.reserve(request);
    if (job) this.hold(job);
    return job;
  }

  async mustTake(options: { waitMs?: number; leaseMs?: number } = {}): Promise<ReservedJob> {
    const job = await this.take(options);
    if (!job) throw new Error('there was no job to reserve');
    return job;
  }

  /** The execution ids of all jobs that can be reserved now, in order. */
  async takeAll(): Promise<string[]> {
    const taken: string[] = [];
    for (let job = await this.take(); job; job = await this.take()) taken.push(job.executionId);
    return taken;
  }

  hold(job: ReservedJob): void {
    this.#seen.set(`${job.executionId}:${job.attempt}`, job);
    this.#held.set(job.leaseToken, job);
  }

  /** Lets a lease expire at once. */
  async expire(job: ReservedJob): Promise<void> {
    await this.queue.heartbeat(job, 0);
  }

  async stateOf(job: Job): Promise<string | undefined> {
    return (await this.queue.inspect([job]))[0];
  }

  /** Removes the remaining jobs, and closes. */
  async close(): Promise<void> {
    for (const job of this.#held.values()) await this.queue.complete(job);
    for (const job of this.#seen.values()) await this.queue.cancel(job);
    const stats = await this.queue.stats();
    await this.closeQueue();
    expect(stats).toEqual({ waiting: 0, delayed: 0, leased: 0, oldestWaitingMs: 0 });
  }
}
