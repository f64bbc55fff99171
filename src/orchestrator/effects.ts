import type { ExecutionEvent } from '../tasks/domain/execution-events.js';
import type { RecordedEvent } from '../event-sourcing/core/event.js';
import type { Job } from '../queue/job-queue.js';
import type { ActiveExecution } from './active-execution.js';

/** What has to happen outside because of an event. Each may be repeated: its identity follows from the event. */
export type Effect =
  | { readonly type: 'enqueue'; readonly job: Job }
  /** Takes a job back that nobody has reserved; one that is held is the worker's to end. */
  | { readonly type: 'withdraw'; readonly executionId: string; readonly attempt: number };

/**
 * @param before the run as it was ahead of the event
 * @param after the run as the event leaves it
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

/** The job a waiting run needs in the queue. */
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
