import type { Decider } from '../../event-sourcing/core/decider.js';
import { DomainError, unreachable } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import type { AttemptLease, RetryContext, ExecutionCommand, ReportFailure } from './execution-commands.js';
import {
  ExecutionAttemptFailed,
  ExecutionAttemptReleased,
  ExecutionCancellationRequested,
  ExecutionCancelled,
  ExecutionDeadLetterDiscarded,
  ExecutionDeadLettered,
  type ExecutionEvent,
  ExecutionExpired,
  ExecutionFailed,
  ExecutionRedriven,
  ExecutionRequested,
  ExecutionRetryScheduled,
  ExecutionAttemptStarted,
  ExecutionSucceeded,
  ExecutionTimedOut,
  type RunResult,
} from './execution-events.js';
import { type FailureReason, isTimeout } from './execution-shape.js';
import {
  alreadyEnded,
  evolveExecution,
  type ExecutionState,
  isRunning,
  type KnownExecution,
  type RunningExecution,
} from './execution-state.js';
import { reportExternalExecution } from './external-reports.js';
import { afterFailure } from './retry-policy.js';

export const executionNotFound = (): DomainError =>
  new DomainError('execution_not_found', 'Execution not found', 'not_found');

export const executionDecider: Decider<ExecutionCommand, ExecutionState, ExecutionEvent> = {
  initialState: { status: 'absent' },
  decide,
  evolve: evolveExecution,
};

function decide(command: ExecutionCommand, state: ExecutionState): readonly ExecutionEvent[] {
  if (command.type === 'RequestExecution') return state.status === 'absent' ? [ExecutionRequested(command.spec)] : [];
  if (state.status === 'absent') throw executionNotFound();
  switch (command.type) {
    case 'StartAttempt':
      return startAttempt(command.lease, command.worker, command.queuedMs, state);
    case 'ReportSuccess': {
      const { status } = requireLease(command.lease, state);
      return status === 'cancelling'
        ? [ExecutionCancelled({ result: command.result })]
        : [ExecutionSucceeded({ attempt: state.attempt, result: command.result })];
    }
    case 'ReportFailure':
      return reportFailure(command, requireLease(command.lease, state));
    case 'ReleaseAttempt': {
      const { status, attempt } = requireLease(command.lease, state);
      return status === 'cancelling'
        ? [ExecutionCancelled({ result: null })]
        : [ExecutionAttemptReleased({ attempt, why: command.why })];
    }
    case 'CancelExecution':
      requireOwner(command.requester, state.spec.owner_id);
      return cancel(state);
    case 'LoseAttempt':
      return loseAttempt(command.attempt, command.retryContext, state);
    case 'ExpireExternalExecution': {
      if (!isRunning(state) || state.lease_token !== null || state.attempt !== command.attempt) return [];
      return [ExecutionTimedOut({ attempt: state.attempt })];
    }
    case 'ExpireUnreportedExecution':
      return state.status === 'pending' && state.spec.executor === 'external' ? [ExecutionExpired({})] : [];
    case 'RedriveExecution':
      requireOwner(command.requester, state.spec.owner_id);
      requireDeadLetter(state);
      return [ExecutionRedriven({ attempt: state.attempt + 1 })];
    case 'DiscardDeadLetter':
      requireOwner(command.requester, state.spec.owner_id);
      requireDeadLetter(state);
      return [ExecutionDeadLetterDiscarded({})];
    case 'ReportExternalExecution':
      requireOwner(command.requester, state.spec.owner_id);
      return reportExternalExecution(command, state);
    default:
      return unreachable(command);
  }
}

function startAttempt(lease: AttemptLease, worker: string, queuedMs: number, state: KnownExecution): ExecutionEvent[] {
  const { attempt, leaseToken } = lease;
  // A repeat by the lease holder itself, which did not see the first result.
  if (isRunning(state) && state.attempt === attempt && state.lease_token === leaseToken) return [];
  if (state.status !== 'pending' || state.spec.executor !== 'embedded' || attempt !== state.attempt + 1) {
    throw new DomainError('attempt_not_waiting', `Execution does not wait for attempt ${attempt}`);
  }
  return [ExecutionAttemptStarted({ attempt, worker, lease_token: leaseToken, queued_ms: queuedMs })];
}

function requireLease(lease: AttemptLease, state: KnownExecution): RunningExecution {
  if (!isRunning(state) || state.attempt !== lease.attempt || state.lease_token !== lease.leaseToken) {
    throw new DomainError('attempt_not_held', `This worker no longer holds attempt ${lease.attempt}`);
  }
  return state;
}

function reportFailure(command: ReportFailure, state: RunningExecution): ExecutionEvent[] {
  const { reason, detail, result } = command.failure;
  if (state.status === 'cancelling') return [ExecutionCancelled({ result })];
  if (reason === 'cancelled') throw new DomainError('cancellation_not_requested', 'Cancellation was not requested');
  return failAttempt(state, reason, detail, result, command.retryContext);
}

function loseAttempt(attempt: number, retryContext: RetryContext, state: KnownExecution): ExecutionEvent[] {
  if (!isRunning(state) || state.lease_token === null || state.attempt !== attempt) return [];
  if (state.status === 'cancelling') return [ExecutionCancelled({ result: null })];
  return failAttempt(state, 'infrastructure', 'the worker was lost', null, retryContext);
}

function failAttempt(
  state: RunningExecution,
  reason: FailureReason,
  detail: string | null,
  result: RunResult | null,
  { now, random }: RetryContext,
): ExecutionEvent[] {
  const { attempt, budget_start, spec } = state;
  const failed = ExecutionAttemptFailed({ attempt, reason, detail, result });
  const next = afterFailure(spec.retry, reason, attempt - budget_start, random);
  switch (next.then) {
    case 'retry': {
      const not_before = new Date(now.getTime() + next.delayMs).toISOString();
      return [failed, ExecutionRetryScheduled({ attempt: attempt + 1, not_before })];
    }
    case 'dead_letter':
      return [failed, ExecutionDeadLettered({ attempt, reason })];
    case 'end':
      return [failed, isTimeout(reason) ? ExecutionTimedOut({ attempt }) : ExecutionFailed({ attempt, reason })];
    default:
      return unreachable(next);
  }
}

function cancel(state: KnownExecution): ExecutionEvent[] {
  switch (state.status) {
    case 'pending':
      return [ExecutionCancelled({ result: null })];
    case 'running':
      // An external execution has no worker that could confirm the kill, so the request ends it.
      return state.lease_token === null
        ? [ExecutionCancelled({ result: null })]
        : [ExecutionCancellationRequested({ attempt: state.attempt })];
    case 'cancelling':
      return [];
    case 'ended':
    case 'dead_lettered':
      throw alreadyEnded();
    default:
      return unreachable(state);
  }
}

function requireDeadLetter(state: KnownExecution): void {
  if (state.status !== 'dead_lettered') throw new DomainError('not_dead_lettered', 'Execution is not dead-lettered');
  if (state.discarded) throw new DomainError('dead_letter_discarded', 'Dead letter has been discarded');
}
