import { randomUUID } from 'node:crypto';

import { waitForCall } from '../../src/platform/async/wait-for-call.js';
import {
  type Job,
  jobId,
  JobQueue,
  type JobState,
  type QueueStats,
  type ReservedJob,
  type WorkerHeartbeat,
} from '../../src/queue/job-queue.js';
import { type Entry, FairQueueModel } from './fair-queue-model.js';

type Id = Pick<Job, 'executionId' | 'attempt'>;
type ReserveRequest = Parameters<JobQueue['reserve']>[0];

export interface InMemoryJobQueueOptions {
  readonly userConcurrencyMax: number;
  readonly ageingIntervalMs: number;
}

/** The port without Redis: for unit tests of its users, and as the model for the tests of the real queue. */
export class InMemoryJobQueue extends JobQueue {
  readonly #entries = new Map<string, Entry>();
  readonly #workers = new Map<string, { heartbeat: WorkerHeartbeat; until: number }>();
  readonly #waiters = new Set<() => void>();
  readonly #fairQueue: FairQueueModel;
  readonly #ageingIntervalMs: number;
  #sequence = 0;

  constructor(options: InMemoryJobQueueOptions) {
    super();
    this.#ageingIntervalMs = options.ageingIntervalMs;
    this.#fairQueue = new FairQueueModel(this.#entries, options.userConcurrencyMax);
  }

  async enqueue(job: Job): Promise<boolean> {
    const now = this.#settle();
    if (this.#entries.has(jobId(job))) return false;
    this.#sequence += 1;
    const readyAt = Math.max(now, job.notBefore ?? 0);
    const entry = this.#entry(job, { seq: this.#sequence, enqueuedAt: now, readyAt });
    if (readyAt > now) entry.state = 'delayed';
    else this.#fairQueue.enqueue(entry);
    this.#changed();
    return true;
  }

  async reserve({ workerId, leaseMs, waitMs, signal }: ReserveRequest): Promise<ReservedJob | null> {
    const until = Date.now() + waitMs;
    for (;;) {
      if (signal?.aborted) return null;
      const entry = (this.#settle(), this.#fairQueue.next());
      if (entry) return this.#hold(entry, { token: randomUUID(), workerId, leaseMs });
      if (Date.now() >= until) return null;
      await this.#change(until - Date.now(), signal);
    }
  }

  async heartbeat(job: ReservedJob, leaseMs: number): Promise<boolean> {
    const entry = this.#held(job);
    if (entry) entry.deadline = Date.now() + leaseMs;
    return entry !== undefined;
  }

  async restoreLease(job: ReservedJob, workerId: string, leaseMs: number): Promise<boolean> {
    const found = this.#live(job);
    if (found?.state === 'leased' && found.token !== job.leaseToken) return false;
    if (found) this.#fairQueue.leave(found);
    const entry = found ?? this.#entry(job, { seq: 0, enqueuedAt: job.enqueuedAt, readyAt: job.enqueuedAt });
    this.#hold(entry, { token: job.leaseToken, workerId, leaseMs });
    return true;
  }

  async complete(job: ReservedJob): Promise<boolean> {
    const entry = this.#held(job);
    if (entry) this.#forget(entry);
    return entry !== undefined;
  }

  async release(job: ReservedJob): Promise<boolean> {
    const entry = this.#held(job);
    if (!entry) return false;
    entry.state = 'delayed';
    this.#fairQueue.unpark(entry.job.userId);
    this.#fairQueue.enqueue(entry);
    this.#age(entry, Date.now());
    this.#changed();
    return true;
  }

  async cancel(id: Id): Promise<JobState> {
    const entry = this.#live(id);
    const state = entry?.state ?? 'missing';
    if (entry && state !== 'leased') this.#forget(entry);
    return state;
  }

  async inspect(ids: readonly Id[]): Promise<readonly JobState[]> {
    this.#settle();
    return ids.map((id) => this.#entries.get(jobId(id))?.state ?? 'missing');
  }

  async workerHeartbeat(heartbeat: WorkerHeartbeat, ttlMs: number): Promise<void> {
    this.#workers.set(heartbeat.workerId, { heartbeat, until: Date.now() + ttlMs });
  }

  async workerGone(workerId: string): Promise<void> {
    this.#workers.delete(workerId);
  }

  async dropLeases(workerId: string): Promise<number> {
    this.#settle();
    const held = [...this.#entries.values()].filter((entry) => entry.state === 'leased' && entry.worker === workerId);
    for (const entry of held) this.#forget(entry);
    return held.length;
  }

  async workers(): Promise<readonly WorkerHeartbeat[]> {
    return [...this.#workers.values()].filter(({ until }) => until > Date.now()).map(({ heartbeat }) => heartbeat);
  }

  async stats(): Promise<QueueStats> {
    const now = this.#settle();
    const of = (state: JobState) => [...this.#entries.values()].filter((entry) => entry.state === state);
    const oldest = Math.min(now, ...of('waiting').map((entry) => entry.readyAt));
    const [waiting, delayed, leased] = [of('waiting').length, of('delayed').length, of('leased').length];
    return { waiting, delayed, leased, oldestWaitingMs: now - oldest };
  }

  /** Loses everything, like an outage of Redis with a flush. */
  flush(): void {
    this.#entries.clear();
    this.#workers.clear();
    this.#fairQueue.clear();
  }

  #entry(job: Job, at: Pick<Entry, 'seq' | 'enqueuedAt' | 'readyAt'>): Entry {
    const { executionId, attempt, userId, priority, notBefore, traceparent } = job;
    const kept = { executionId, attempt, userId, priority, notBefore, traceparent };
    const entry: Entry = { ...at, id: jobId(job), job: withoutUndefined(kept), state: 'delayed', band: priority };
    this.#age(entry, at.readyAt);
    this.#entries.set(entry.id, entry);
    return entry;
  }

  #age(entry: Entry, from: number): void {
    entry.risesAt = from + this.#ageingIntervalMs;
  }

  #hold(entry: Entry, lease: { token: string; workerId: string; leaseMs: number }): ReservedJob {
    this.#fairQueue.leave(entry);
    Object.assign(entry, {
      state: 'leased',
      token: lease.token,
      worker: lease.workerId,
      deadline: Date.now() + lease.leaseMs,
    });
    this.#fairQueue.parkAtLimit(entry.job.userId);
    return { ...entry.job, leaseToken: lease.token, enqueuedAt: entry.enqueuedAt };
  }

  #live(id: Id): Entry | undefined {
    const entry = this.#entries.get(jobId(id));
    if (entry?.state !== 'leased' || entry.deadline! > Date.now()) return entry;
    this.#forget(entry);
    return undefined;
  }

  #held(job: ReservedJob): Entry | undefined {
    const entry = this.#live(job);
    return entry?.state === 'leased' && entry.token === job.leaseToken ? entry : undefined;
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#fairQueue.leave(entry);
    if (entry.state === 'leased') this.#fairQueue.unpark(entry.job.userId);
    this.#changed();
  }

  #settle(): number {
    const now = Date.now();
    for (const entry of this.#entries.values()) {
      if (entry.state === 'leased') this.#live(entry.job);
      if (entry.state === 'delayed' && entry.readyAt <= now) this.#fairQueue.enqueue(entry);
      while (entry.state === 'waiting' && entry.band < 10 && entry.risesAt! <= now) {
        this.#fairQueue.leave(entry);
        entry.band += 1;
        this.#age(entry, entry.risesAt!);
        this.#fairQueue.enqueue(entry);
      }
    }
    return now;
  }

  #changed(): void {
    for (const wake of this.#waiters) wake();
  }

  /** Resolves when something changes, a delayed job or a lease is due, the timeout passes or the signal aborts. */
  #change(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const due = [...this.#entries.values()].map((entry) =>
      entry.state === 'leased' ? entry.deadline! : entry.readyAt,
    );
    const nextMs = Math.min(timeoutMs, ...due.map((at) => Math.max(1, at - Date.now())));
    const subscribe = (wake: () => void) => {
      this.#waiters.add(wake);
      return () => this.#waiters.delete(wake);
    };
    return waitForCall(subscribe, { timeoutMs: nextMs, signal });
  }
}

const withoutUndefined = <T extends object>(value: T): T =>
  Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
