import type { RecordedEvent } from '../event-sourcing/core/event.js';
import type { Job } from '../queue/job-queue.js';
import type { ExecutionEvent } from '../tasks/domain/execution-events.js';
import type { ActiveExecution } from './active-execution.js';

/** An effect of an event on the queue. It is idempotent: its id is computed from the event. */
export type Effect =
  | { readonly type: 'enqueue'; readonly job: Job }
  /** Removes a job that no worker has reserved; a reserved job is ended by its worker. */
  | { readonly type: 'withdraw'; readonly executionId: string; readonly attempt: number };

/**
 * @param before the execution before the event
 * @param after the execution after the event
 */
export function effectsOf(
  event: RecordedEvent<ExecutionEvent>,
  before: ActiveExecution | null,
  after: ActiveExecution | null,
): readonly Effect[] {
  switch (event.type) {
    case 'ExecutionRequested':
    case 'ExecutionAttemptReleased':
    case 'ExecutionRetryScheduled':
    case 'ExecutionRedriven':
      return after === null || after.executor === 'external' ? [] : [{ type: 'enqueue', job: jobOf(after) }];
    case 'ExecutionAttemptStarted':
      return event.data.lease_token === null ? withdraw(before) : [];
    case 'ExecutionSucceeded':
    case 'ExecutionFailed':
    case 'ExecutionTimedOut':
    case 'ExecutionCancelled':
    case 'ExecutionReported':
    case 'ExecutionExpired':
    case 'ExecutionDeadLettered':
      return withdraw(before);
    default:
      return [];
  }
}

/** The job of a pending execution. */
export function jobOf(active: ActiveExecution): Job {
  return {
    executionId: active.execution_id,
    attempt: active.attempt,
    userId: active.owner_id,
    priority: active.priority,
    ...(active.not_before !== null && { notBefore: new Date(active.not_before).getTime() }),
  };
}

function withdraw(run: ActiveExecution | null): Effect[] {
  if (run === null || run.executor === 'external') return [];
  return [{ type: 'withdraw', executionId: run.execution_id, attempt: run.attempt }];
}
