import type { RecordedEvent } from '../event-sourcing/core/event.js';
import { defineProjection } from '../event-sourcing/projection/projection.js';
import { unreachable } from '../kernel/errors.js';
import type { ExecutionEvent } from '../tasks/domain/execution-events.js';
import { externalDeadline } from '../tasks/domain/external-deadline.js';

/** The orchestrator's row for an execution that is not over: enough to enqueue it again without reading its stream. */
export interface ActiveExecution {
  readonly execution_id: string;
  readonly owner_id: string;
  readonly executor: 'embedded' | 'external';
  /** A dead letter is kept, because it may be redriven. */
  readonly status: 'pending' | 'running' | 'dead_lettered';
  /** The running attempt, or the next one while pending. */
  readonly attempt: number;
  readonly priority: number;
  readonly timeout_seconds: number;
  readonly not_before: string | Date | null;
  readonly requested_at: string | Date;
  readonly started_at: string | Date | null;
  /** When an external execution times out if its end is not reported. Null for any other. */
  readonly due_at: string | Date | null;
  readonly worker: string | null;
  /** Null while pending, and for an external execution. */
  readonly lease_token: string | null;
  /** From the request: a job that is enqueued again stays in the request's trace. */
  readonly traceparent: string | null;
}

const IDLE = { not_before: null, started_at: null, due_at: null, worker: null, lease_token: null } as const;

/** @returns null for an execution that has ended and cannot be redriven */
export function foldActive(
  active: ActiveExecution | null,
  event: RecordedEvent<ExecutionEvent>,
): ActiveExecution | null {
  if (event.type === 'ExecutionRequested') {
    const { execution_id, owner_id, executor, priority, timeout_seconds } = event.data;
    const traceparent = event.metadata.traceparent ?? null;
    const requested_at = event.recordedAt.toISOString();
    const run = { execution_id, owner_id, executor, priority, timeout_seconds, requested_at, traceparent };
    return { ...run, ...IDLE, status: 'pending', attempt: 1 };
  }
  if (active === null) return null;
  switch (event.type) {
    case 'ExecutionAttemptStarted': {
      const { recordedAt } = event;
      const { attempt, worker, lease_token, started_at = recordedAt.toISOString() } = event.data;
      const due = lease_token === null ? externalDeadline(started_at, recordedAt, active.timeout_seconds) : null;
      const run = { attempt, worker, lease_token, started_at, due_at: due?.toISOString() ?? null };
      return { ...active, ...run, status: 'running', not_before: null };
    }
    case 'ExecutionAttemptReleased':
      return { ...active, ...IDLE, status: 'pending' };
    case 'ExecutionRetryScheduled':
      return { ...active, ...IDLE, status: 'pending', ...event.data };
    case 'ExecutionRedriven':
      return { ...active, ...IDLE, status: 'pending', attempt: event.data.attempt };
    case 'ExecutionDeadLettered':
      return { ...active, ...IDLE, status: 'dead_lettered' };
    case 'ExecutionAttemptFailed':
    case 'ExecutionCancellationRequested':
      return active;
    case 'ExecutionSucceeded':
    case 'ExecutionFailed':
    case 'ExecutionTimedOut':
    case 'ExecutionCancelled':
    case 'ExecutionReported':
    case 'ExecutionExpired':
    case 'ExecutionDeadLetterDiscarded':
      return null;
    default:
      return unreachable(event);
  }
}

/** The orchestrator's own table. It advances with the orchestrator's checkpoint, not with the projector's. */
export const activeExecutionProjection = defineProjection<ActiveExecution>({
  table: 'active_executions',
  key: 'execution_id',
  columns: {
    execution_id: 'uuid',
    owner_id: 'uuid',
    executor: 'text',
    status: 'text',
    attempt: 'integer',
    priority: 'smallint',
    timeout_seconds: 'double precision',
    not_before: 'timestamptz',
    requested_at: 'timestamptz',
    started_at: 'timestamptz',
    due_at: 'timestamptz',
    worker: 'text',
    lease_token: 'text',
    traceparent: 'text',
  },
  keyOf: ({ stream }) => (stream.type === 'execution' ? stream.id : null),
  project: (row, event) => foldActive(row, event as RecordedEvent<ExecutionEvent>),
});
