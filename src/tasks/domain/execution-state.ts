import type { StreamRef } from '../../event-sourcing/core/event.js';
import { DomainError, unreachable } from '../../kernel/errors.js';
import type { ExecutionEvent, ExecutionSpec, ExternalReport } from './execution-events.js';
import { type FailureReason, isTimeout, type Outcome } from './execution-shape.js';

interface Known {
  readonly spec: ExecutionSpec;
  /** The number of the latest attempt that counts; 0 before the first. */
  readonly attempt: number;
  /** Attempts before the current budget: 0, or the number used up to the last redrive. */
  readonly budget_start: number;
  /** The image that attempts run in: that of the request, else that of the first result; null before. */
  readonly image_digest: string | null;
}

export type PendingExecution = Known & { readonly status: 'pending' };
export type RunningExecution = Known & {
  readonly status: 'running' | 'cancelling';
  readonly worker: string;
  /** Null for an external execution. */
  readonly lease_token: string | null;
  /** Of an external execution; undefined for any other. */
  readonly started_at: string | undefined;
};
export type DeadLetteredExecution = Known & {
  readonly status: 'dead_lettered';
  readonly reason: FailureReason;
  readonly discarded: boolean;
};
export type EndedExecution = Known & {
  readonly status: 'ended';
  readonly outcome: Outcome;
  /** Only if the end was reported. */
  readonly report?: ExternalReport;
};

export type KnownExecution = PendingExecution | RunningExecution | DeadLetteredExecution | EndedExecution;
export type ExecutionState = { readonly status: 'absent' } | KnownExecution;

export const executionStream = (executionId: string): StreamRef => ({ type: 'execution', id: executionId });

export const isRunning = (state: ExecutionState): state is RunningExecution =>
  state.status === 'running' || state.status === 'cancelling';

export const alreadyEnded = (): DomainError => new DomainError('execution_ended', 'Execution has already ended');

/** The outcome that clients and the task see; null for an execution that has not ended. */
export function outcomeOf(state: ExecutionState): Outcome | null {
  if (state.status === 'ended') return state.outcome;
  if (state.status === 'dead_lettered') return isTimeout(state.reason) ? 'timeout' : 'failed';
  return null;
}

export function evolveExecution(state: ExecutionState, event: ExecutionEvent): ExecutionState {
  if (event.type === 'ExecutionRequested') {
    const { image_digest } = event.data;
    return { status: 'pending', spec: event.data, attempt: 0, budget_start: 0, image_digest };
  }
  if (state.status === 'absent') throw new Error(`${event.type} on an execution that was never requested`);
  const { spec, attempt: lastAttempt, budget_start, image_digest } = state;
  const known: Known = { spec, attempt: lastAttempt, budget_start, image_digest };
  switch (event.type) {
    case 'ExecutionAttemptStarted': {
      const { attempt, worker, lease_token, started_at } = event.data;
      return { ...known, status: 'running', attempt, worker, lease_token, started_at };
    }
    case 'ExecutionAttemptReleased':
      return { ...known, status: 'pending', attempt: event.data.attempt - 1 };
    case 'ExecutionAttemptFailed':
      return { ...state, image_digest: image_digest ?? event.data.result?.image_digest ?? null };
    case 'ExecutionRetryScheduled':
      return { ...known, status: 'pending' };
    case 'ExecutionCancellationRequested':
      return { ...(state as RunningExecution), status: 'cancelling' };
    case 'ExecutionSucceeded':
      return { ...known, status: 'ended', outcome: 'completed' };
    case 'ExecutionFailed':
      return { ...known, status: 'ended', outcome: 'failed' };
    case 'ExecutionTimedOut':
    case 'ExecutionExpired':
      return { ...known, status: 'ended', outcome: 'timeout' };
    case 'ExecutionCancelled':
      return { ...known, status: 'ended', outcome: 'cancelled' };
    case 'ExecutionReported':
      return { ...known, status: 'ended', outcome: event.data.outcome, report: event.data };
    case 'ExecutionDeadLettered':
      return { ...known, status: 'dead_lettered', reason: event.data.reason, discarded: false };
    case 'ExecutionDeadLetterDiscarded':
      return { ...(state as DeadLetteredExecution), discarded: true };
    case 'ExecutionRedriven':
      return { ...known, status: 'pending', budget_start: state.attempt };
    default:
      return unreachable(event);
  }
}
