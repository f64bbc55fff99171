import { timeoutMsOf } from './execution-shape.js';

/**
 * A worker that was offline reports a start late, and usually the end right after it. The execution must not time out
 * between the two reports.
 */
export const LATE_REPORT_GRACE_MS = 10_000;

/** When an external execution times out if its end is not reported: its start plus its timeout. */
export function externalDeadline(started_at: string, reportedAt: Date, timeout_seconds: number): Date {
  const timeoutMs = timeoutMsOf(timeout_seconds);
  const byItsStart = Date.parse(started_at) + timeoutMs;
  return new Date(Math.max(byItsStart, reportedAt.getTime() + Math.min(timeoutMs, LATE_REPORT_GRACE_MS)));
}
