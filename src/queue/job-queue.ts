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
  /** Whoever presents it holds the job. */
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
  /** Counts the worker's heartbeats: another number is the word of a living worker. */
  readonly beat?: number;
  readonly [detail: string]: unknown;
}

export const jobId = (job: Pick<Job, 'executionId' | 'attempt'>): string => `${job.executionId}:${job.attempt}`;

/** An index of pending work. Everything in it can be rebuilt from the log. Every operation is atomic. */
export abstract class JobQueue {
  /** @returns false where the job was there already (in whatever state): nothing changed. */
  abstract enqueue(job: Job): Promise<boolean>;

  /**
   * Takes the next job in order of band and turn. Waits for a wake-up, at most `waitMs`.
   * @returns null where there was none in time, or the signal was aborted
   */
  abstract reserve(request: {
    workerId: string;
    leaseMs: number;
    waitMs: number;
    signal?: AbortSignal;
  }): Promise<ReservedJob | null>;

  /** Extends the lease. @returns false where the token no longer holds it (expired and reaped, cancelled, flushed). */
  abstract heartbeat(job: ReservedJob, leaseMs: number): Promise<boolean>;

  /** Puts a lease back that a flushed Redis lost. @returns false where another token holds the job now. */
  abstract restoreLease(job: ReservedJob, workerId: string, leaseMs: number): Promise<boolean>;

  /** Removes the job. @returns false where the token did not hold it. */
  abstract complete(job: ReservedJob): Promise<boolean>;

  /** Gives the job back, to the head of its user's turn. @returns false where the token did not hold it. */
  abstract release(job: ReservedJob): Promise<boolean>;

  /** Removes the job where nobody holds it. @returns the state it was in */
  abstract cancel(id: { executionId: string; attempt: number }): Promise<JobState>;

  /** The states of many jobs at once, in the same order. */
  abstract inspect(ids: readonly { executionId: string; attempt: number }[]): Promise<readonly JobState[]>;

  /** Workers say that they live; an entry that is not renewed within `ttlMs` is gone. */
  abstract workerHeartbeat(heartbeat: WorkerHeartbeat, ttlMs: number): Promise<void>;

  abstract workerGone(workerId: string): Promise<void>;

  /** Removes the jobs that a worker holds, as if their leases had run out. @returns how many */
  abstract dropLeases(workerId: string): Promise<number>;

  /** The workers alive now. */
  abstract workers(): Promise<readonly WorkerHeartbeat[]>;

  abstract stats(): Promise<QueueStats>;
}
