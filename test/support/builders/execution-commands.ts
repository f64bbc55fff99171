import type { Requester } from '../../../src/kernel/requester.js';
import {
  type AttemptLease,
  CancelExecution,
  type RetryContext,
  DiscardDeadLetter,
  ExpireExternalExecution,
  ExpireUnreportedExecution,
  LoseAttempt,
  RedriveExecution,
  ReleaseAttempt,
  ReportExternalExecution,
  ReportFailure,
  ReportSuccess,
  RequestExecution,
  StartAttempt,
} from '../../../src/tasks/domain/execution-commands.js';
import type { ExecutionSpec, RunResult } from '../../../src/tasks/domain/execution-events.js';
import type { FailureReason, Outcome } from '../../../src/tasks/domain/execution-shape.js';
import { aResult, aSpec, FAILED_RESULT, NOW, tokenOf, WORKER } from './executions.js';
import { metadata, owner } from './people.js';
import { EXECUTION_ID } from './tasks.js';

/** Jitter halves every delay. */
export const HALF: RetryContext = { now: NOW, random: 0.5 };

export const leaseOf = (attempt: number, leaseToken = tokenOf(attempt)): AttemptLease => ({
  executionId: EXECUTION_ID,
  attempt,
  leaseToken,
});

export const request = (changes: Partial<ExecutionSpec> = {}) => new RequestExecution(aSpec(changes));
export const startAttempt = (attempt = 1, leaseToken?: string) =>
  new StartAttempt(leaseOf(attempt, leaseToken), WORKER, 7, metadata);
export const reportSuccess = (lease = leaseOf(1)) => new ReportSuccess(lease, aResult(), metadata);
export const reportFailure = (
  reason: FailureReason | 'cancelled',
  { lease = leaseOf(1), retryContext = HALF, result = FAILED_RESULT as RunResult | null } = {},
) => new ReportFailure(lease, { reason, detail: null, result }, retryContext, metadata);
export const release = (lease = leaseOf(1)) => new ReleaseAttempt(lease, 'the worker shuts down', metadata);
export const cancel = (requester: Requester = owner) => new CancelExecution(EXECUTION_ID, requester, metadata);
export const lose = (attempt = 1, retryContext = HALF) =>
  new LoseAttempt(EXECUTION_ID, attempt, retryContext, metadata);
export const expire = (attempt = 1) => new ExpireExternalExecution(EXECUTION_ID, attempt, metadata);
export const expireUnreported = () => new ExpireUnreportedExecution(EXECUTION_ID, metadata);
export const redrive = (requester: Requester = owner) => new RedriveExecution(EXECUTION_ID, requester, metadata);
export const discard = (requester: Requester = owner) => new DiscardDeadLetter(EXECUTION_ID, requester, metadata);
export const reportRunning = (requester: Requester = owner, startedAt: string | null = null, now = NOW) =>
  new ReportExternalExecution(EXECUTION_ID, requester, { status: 'running', startedAt }, now, metadata);
export const reportEnd = (
  status: Outcome = 'completed',
  requester: Requester = owner,
  changes: { result?: RunResult; startedAt?: string; completedAt?: string } = {},
  now = NOW,
) => {
  const report = { status, result: aResult(), startedAt: null, completedAt: null, ...changes };
  return new ReportExternalExecution(EXECUTION_ID, requester, report, now, metadata);
};
