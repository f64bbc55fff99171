import { timeoutMsOf } from './execution-shape.js';

/**
 * The end of a run is mostly reported right after a start that was reported late (a worker that was offline, and now
 * tells both): it must not meet a run that has timed out in between.
 */
export const LATE_REPORT_GRACE_MS = 10_000;

/** When a run done elsewhere is over without a report of its end: at its start and its time limit. */
export function externalDeadline(started_at: string, reportedAt: Date, timeout_seconds: number): Date {
  const timeoutMs = timeoutMsOf(timeout_seconds);
  const byItsStart = Date.parse(started_at) + timeoutMs;
  return new Date(Math.max(byItsStart, reportedAt.getTime() + Math.min(timeoutMs, LATE_REPORT_GRACE_MS)));
}
