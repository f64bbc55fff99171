import { unreachable } from '../../kernel/errors.js';
import type { ExecutionEvent } from '../../tasks/domain/execution-events.js';
import type { SubscribableEvent } from '../../tasks/domain/subscribable-events.js';

/** @returns null for an event that no webhook is told about */
export function subscribableEventOf(event: ExecutionEvent): SubscribableEvent | null {
  switch (event.type) {
    case 'ExecutionRequested':
      return 'execution.created';
    case 'ExecutionAttemptStarted':
      return 'execution.started';
    case 'ExecutionRetryScheduled':
      return 'execution.retrying';
    case 'ExecutionSucceeded':
      return 'execution.completed';
    case 'ExecutionFailed':
      return 'execution.failed';
    case 'ExecutionTimedOut':
    case 'ExecutionExpired':
      return 'execution.timeout';
    case 'ExecutionCancelled':
      return 'execution.cancelled';
    case 'ExecutionDeadLettered':
      return 'execution.dead_lettered';
    case 'ExecutionRedriven':
      return 'execution.redriven';
    case 'ExecutionReported':
      return `execution.${event.data.outcome}`;
    case 'ExecutionAttemptFailed':
    case 'ExecutionAttemptReleased':
    case 'ExecutionDeadLetterDiscarded':
    case 'ExecutionCancellationRequested':
      return null;
    default:
      return unreachable(event);
  }
}
