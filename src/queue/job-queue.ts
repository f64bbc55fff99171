import type { RuntimeOffer } from '../runtimes/runtime-offer.js';

/** A job names the attempt to run; everything else is read from the log. */
export interface Job {
  readonly executionId: string;
  readonly attempt: number;
  readonly userId: string;
  /** 0–10, 10 first. */
  readonly priority: number;
  /** Milliseconds since the epoch; the job is not reserved before. */
  readonly notBefore?: number;
  /** W3C Trace Context of the enqueue, so that the worker's spans join the trace. */
  readonly traceparent?: string;
}

export interface ReservedJob extends Job {
  /** Proves the lease: the caller that presents it holds the job. */
  readonly leaseToken: string;
  /** When it was first enqueued, milliseconds since the epoch. */
  readonly enqueuedAt: number;
}

export type JobState = 'missing' | 'delayed' | 'waiting' | 'leased';

export interface QueueStats {
  readonly waiting: number;
  readonly delayed: number;
  readonly leased: number;
  /** Age of the oldest waiting job, ms; 0 for an empty queue. */
  readonly oldestWaitingMs: number;
}

export interface WorkerHeartbeat {
  readonly workerId: string;
  /** Executions this worker is running now, as job ids. */
  readonly running: readonly string[];
  /** Counts the worker's heartbeats: a changed number proves that the worker is alive. */
  readonly beat?: number;
  /** For the status of the workers. */
  readonly figures?: WorkerFigures;
  readonly runtimes?: readonly RuntimeOffer[];
}

/** Of one worker process, since its start. */
export interface WorkerFigures {
  readonly slots: number;
  /** Whether its engine can run code. */
  readonly healthy: boolean;
  readonly succeeded: number;
  readonly failed: number;
  readonly totalMs: number;
}

export const jobId = (job: Pick<Job, 'executionId' | 'attempt'>): string => `${job.executionId}:${job.attempt}`;

/** An index of pending work. Everything in it can be rebuilt from the log. Every operation is atomic. */
export abstract class JobQueue {
  /** @returns false if the job already existed, in any state: nothing changed. */
  abstract enqueue(job: Job): Promise<boolean>;

  /**
   * Reserves the next job: highest band first, round-robin over users within a band. Waits for a job at most `waitMs`.
   * @returns null if there was no job in time, or the signal was aborted
   */
  abstract reserve(request: {
    workerId: string;
    leaseMs: number;
    waitMs: number;
    signal?: AbortSignal;
  }): Promise<ReservedJob | null>;

  /** Extends the lease. @returns false if the token no longer holds it (expired and reaped, cancelled, flushed). */
  abstract heartbeat(job: ReservedJob, leaseMs: number): Promise<boolean>;

  /** Restores a lease that a flushed Redis lost. @returns false if another token holds the job now. */
  abstract restoreLease(job: ReservedJob, workerId: string, leaseMs: number): Promise<boolean>;

  /** Removes the job. @returns false if the token did not hold it. */
  abstract complete(job: ReservedJob): Promise<boolean>;

  /** Releases the job: it becomes its user's first waiting job. @returns false if the token did not hold it. */
  abstract release(job: ReservedJob): Promise<boolean>;

  /** Removes the job unless it is leased. @returns the state it was in */
  abstract cancel(id: { executionId: string; attempt: number }): Promise<JobState>;

  /** The states of many jobs at once, in the same order. */
  abstract inspect(ids: readonly { executionId: string; attempt: number }[]): Promise<readonly JobState[]>;

  /** Reports that a worker is alive. An entry expires unless it is renewed within `ttlMs`. */
  abstract workerHeartbeat(heartbeat: WorkerHeartbeat, ttlMs: number): Promise<void>;

  abstract workerGone(workerId: string): Promise<void>;

  /** Removes the jobs that a worker holds, as if their leases had expired. @returns how many */
  abstract dropLeases(workerId: string): Promise<number>;

  /** The workers alive now. */
  abstract workers(): Promise<readonly WorkerHeartbeat[]>;

  abstract stats(): Promise<QueueStats>;
}
