import {
  type AttemptHold,
  CancelExecution,
  type Chance,
  DiscardDeadLetter,
  ExpireExternalRun,
  ExpireUnreportedRun,
  LoseAttempt,
  RedriveExecution,
  ReleaseAttempt,
  ReportExternalRun,
  ReportFailure,
  ReportSuccess,
  RequestExecution,
  StartAttempt,
} from '../../../src/execution/domain/execution-commands.js';
import type { ExecutionSpec, RunResult } from '../../../src/execution/domain/execution-events.js';
import type { FailureReason, Outcome } from '../../../src/kernel/run-shape.js';
import type { Requester } from '../../../src/kernel/requester.js';
import { aResult, aSpec, FAILED_RESULT, NOW, tokenOf, WORKER } from './executions.js';
import { metadata, owner } from './people.js';
import { RUN_ID } from './tasks.js';

/** Jitter takes half of every delay. */
export const HALF: Chance = { now: NOW, random: 0.5 };

export const holdOf = (attempt: number, leaseToken = tokenOf(attempt)): AttemptHold => ({
  executionId: RUN_ID,
  attempt,
  leaseToken,
});

export const request = (changes: Partial<ExecutionSpec> = {}) => new RequestExecution(aSpec(changes));
export const startAttempt = (attempt = 1, leaseToken?: string) =>
  new StartAttempt(holdOf(attempt, leaseToken), WORKER, 7, metadata);
export const reportSuccess = (hold = holdOf(1)) => new ReportSuccess(hold, aResult(), metadata);
export const reportFailure = (
  reason: FailureReason | 'cancelled',
  { hold = holdOf(1), chance = HALF, result = FAILED_RESULT as RunResult | null } = {},
) => new ReportFailure(hold, { reason, detail: null, result }, chance, metadata);
export const release = (hold = holdOf(1)) => new ReleaseAttempt(hold, 'the worker shuts down', metadata);
export const cancel = (requester: Requester = owner) => new CancelExecution(RUN_ID, requester, metadata);
export const lose = (attempt = 1, chance = HALF) => new LoseAttempt(RUN_ID, attempt, chance, metadata);
export const expire = (attempt = 1) => new ExpireExternalRun(RUN_ID, attempt, metadata);
export const expireUnreported = () => new ExpireUnreportedRun(RUN_ID, metadata);
export const redrive = (requester: Requester = owner) => new RedriveExecution(RUN_ID, requester, metadata);
export const discard = (requester: Requester = owner) => new DiscardDeadLetter(RUN_ID, requester, metadata);
export const reportRunning = (requester: Requester = owner, startedAt: string | null = null, now = NOW) =>
  new ReportExternalRun(RUN_ID, requester, { status: 'running', startedAt }, now, metadata);
export const reportEnd = (
  status: Outcome = 'completed',
  requester: Requester = owner,
  changes: { result?: RunResult; startedAt?: string; completedAt?: string } = {},
  now = NOW,
) => {
  const report = { status, result: aResult(), startedAt: null, completedAt: null, ...changes };
  return new ReportExternalRun(RUN_ID, requester, report, now, metadata);
};
