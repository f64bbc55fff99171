import { type Job, jobId, type ReservedJob } from './job-queue.js';

/** The record of a job in Redis: ids, order and lease. It never contains user input. */
interface JobRecord {
  readonly user: string;
  readonly priority: number;
  readonly enqueued_at: number;
  readonly not_before?: number;
  readonly traceparent?: string;
  readonly token: string;
}

export const PRIORITY_MIN = 0;
export const PRIORITY_MAX = 10;

// Ids are parts of sorted set members, separated by bars: they must not contain a bar.
const ID = /^[A-Za-z0-9._-]{1,128}$/;

/** @throws Error for invalid input, which is a bug in the caller */
export function checkJob(job: Job): void {
  if (!ID.test(job.executionId) || !ID.test(job.userId)) throw new Error('job queue: malformed id');
  if (!Number.isInteger(job.attempt) || job.attempt < 0) throw new Error('job queue: malformed attempt');
  if (!Number.isInteger(job.priority) || job.priority < PRIORITY_MIN || job.priority > PRIORITY_MAX) {
    throw new Error(`job queue: priority ${job.priority} is not between ${PRIORITY_MIN} and ${PRIORITY_MAX}`);
  }
}

export const notBeforeOf = (job: Job): string => (job.notBefore === undefined ? '' : String(Math.ceil(job.notBefore)));

export function reservedJob(id: string, json: string): ReservedJob {
  const record = JSON.parse(json) as JobRecord;
  const separator = id.lastIndexOf(':');
  const job: ReservedJob = {
    executionId: id.slice(0, separator),
    attempt: Number(id.slice(separator + 1)),
    userId: record.user,
    priority: record.priority,
    leaseToken: record.token,
    enqueuedAt: record.enqueued_at,
    ...(record.not_before === undefined ? {} : { notBefore: record.not_before }),
    ...(record.traceparent === undefined ? {} : { traceparent: record.traceparent }),
  };
  if (jobId(job) !== id) throw new Error('job queue: malformed job id in Redis');
  return job;
}
