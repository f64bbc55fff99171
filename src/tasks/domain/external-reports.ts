import { DomainError } from '../../kernel/errors.js';
import { isSameJson } from '../../kernel/json.js';
import type { ReportExternalExecution } from './execution-commands.js';
import {
  type ExecutionEvent,
  ExecutionReported,
  ExecutionAttemptStarted,
  type ExternalReport,
} from './execution-events.js';
import { alreadyEnded, isRunning, type KnownExecution } from './execution-state.js';

/** The worker named in ExecutionAttemptStarted for an external execution. */
export const EXTERNAL_WORKER = 'external';

/** How far an external worker's clock may be ahead of ours. A later time is a mistake, and could never be corrected. */
export const CLOCK_SKEW_MS_MAX = 5 * 60_000;

type Report = ReportExternalExecution['report'];
type EndReport = Exclude<Report, { status: 'running' }>;

/**
 * A repeated report changes nothing. A report that contradicts what is recorded is refused.
 * @throws DomainError `report_time` (with the field in its details), `start_reported`, `execution_taken`,
 *   `execution_ended`
 */
export function reportExternalExecution(
  { report, now }: Pick<ReportExternalExecution, 'report' | 'now'>,
  state: KnownExecution,
): ExecutionEvent[] {
  if (state.status === 'ended' || state.status === 'dead_lettered') {
    if (state.status === 'ended' && state.report && isRepeat(report, state.report)) return [];
    throw alreadyEnded();
  }
  const underWay = isRunning(state);
  if (underWay && state.lease_token !== null) {
    throw new DomainError('execution_taken', 'An embedded worker runs this execution');
  }
  if (report.status !== 'running') {
    const end = reported(report, underWay ? state.started_at : undefined, now);
    return underWay ? [end] : [started(state.attempt + 1, startOf(report, end.data)), end];
  }
  const { startedAt } = report;
  if (underWay) {
    if (startedAt === null || startedAt === state.started_at) return [];
    throw new DomainError('start_reported', 'Execution has already been reported running, with another started_at');
  }
  if (startedAt !== null) requireNotAhead('started_at', startedAt, now);
  return [started(state.attempt + 1, startedAt ?? now.toISOString())];
}

const started = (attempt: number, started_at: string): ExecutionEvent =>
  ExecutionAttemptStarted({ attempt, worker: EXTERNAL_WORKER, lease_token: null, queued_ms: 0, started_at });

/** Compares every field. Equal outputs have equal payload ids: the id is computed from the bytes. */
function isRepeat(report: Report, recorded: ExternalReport): boolean {
  if (report.status === 'running') return false;
  const { status, result, startedAt, completedAt } = report;
  return (
    status === recorded.outcome &&
    startedAt === recorded.started_at &&
    completedAt === (recorded.completed_at_reported ? recorded.completed_at : null) &&
    isSameJson(result, recorded.result)
  );
}

function reported(
  { status: outcome, result, startedAt, completedAt }: EndReport,
  recordedStart: string | undefined,
  now: Date,
) {
  const started_at = startedAt ?? recordedStart;
  const completed_at = completedAt ?? endAt(started_at, now);
  if (started_at !== undefined && started_at > completed_at) {
    throw badTime('completed_at', `must not be before the start of the execution, ${started_at}`);
  }
  if (completedAt !== null) requireNotAhead('completed_at', completedAt, now);
  return ExecutionReported({
    outcome,
    result,
    started_at: startedAt,
    completed_at,
    completed_at_reported: completedAt !== null,
  });
}

/** The end of an execution whose report does not give it: now, or its start if a clock ahead of ours set that. */
function endAt(started_at: string | undefined, now: Date): string {
  const at = now.toISOString();
  if (started_at === undefined || started_at <= at) return at;
  if (isAhead(started_at, now)) throw badTime('started_at', 'must not be after the end of the execution, which is now');
  return started_at;
}

/** The start of an execution whose first report is its end. If not reported: the end minus the wall time. */
function startOf({ startedAt, result }: EndReport, { completed_at }: ExternalReport): string {
  return startedAt ?? new Date(Math.max(0, Date.parse(completed_at) - (result.wall_time_ms ?? 0))).toISOString();
}

const isAhead = (time: string, now: Date): boolean => Date.parse(time) > now.getTime() + CLOCK_SKEW_MS_MAX;

function requireNotAhead(field: string, time: string, now: Date): void {
  if (!isAhead(time, now)) return;
  throw badTime(field, `must be at most ${CLOCK_SKEW_MS_MAX / 1_000} s ahead of the clock of this service`);
}

const badTime = (field: string, message: string): DomainError =>
  new DomainError('report_time', message, 'invalid', { field });
