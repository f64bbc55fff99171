import {
  ExecutionAttemptFailed,
  ExecutionAttemptReleased,
  ExecutionCancellationRequested,
  ExecutionCancelled,
  ExecutionDeadLetterDiscarded,
  ExecutionDeadLettered,
  ExecutionExpired,
  ExecutionFailed,
  ExecutionRedriven,
  ExecutionReported,
  ExecutionRequested,
  ExecutionRetryScheduled,
  type ExecutionSpec,
  ExecutionAttemptStarted,
  ExecutionSucceeded,
  ExecutionTimedOut,
  type ExternalReport,
  type RunResult,
} from '../../../src/tasks/domain/execution-events.js';
import type { FailureReason, Outcome } from '../../../src/tasks/domain/execution-shape.js';
import { EXTERNAL_WORKER } from '../../../src/tasks/domain/external-reports.js';
import { OWNER_ID } from './people.js';
import { RETRY, EXECUTION_ID, SCRIPT, TASK_ID } from './tasks.js';

export const NOW = new Date('2026-01-02T03:04:05.000Z');
export const WORKER = 'test.worker-1';
/** Each attempt has its own lease token. */
export const tokenOf = (attempt: number): string => `token-${attempt}`;
export const isoAfterMs = (delayMs: number): string => new Date(NOW.getTime() + delayMs).toISOString();

export const aSpec = (changes: Partial<ExecutionSpec> = {}): ExecutionSpec => ({
  execution_id: EXECUTION_ID,
  task_id: TASK_ID,
  owner_id: OWNER_ID,
  task_definition_version: 1,
  executor: 'embedded',
  script: SCRIPT,
  script_type: 'python',
  image_digest: null,
  rerun_of: null,
  webhook: null,
  input: null,
  suite: null,
  priority: 5,
  timeout_seconds: 300,
  retry: RETRY,
  limits: { memory_mb: 256, cpus: 1, pids: 64 },
  ...changes,
});

const NOTHING_WRITTEN = { payload: null, bytes_total: 0, truncated: false };

export const aResult = (changes: Partial<RunResult> = {}): RunResult => ({
  return_code: 0,
  signal: null,
  stdout: NOTHING_WRITTEN,
  stderr: NOTHING_WRITTEN,
  wall_time_ms: 20,
  cpu_time_ms: 10,
  memory_peak_bytes: 1_000_000,
  ...changes,
});

export const FAILED_RESULT = aResult({ return_code: 1 });

export const requested = (changes: Partial<ExecutionSpec> = {}) => ExecutionRequested(aSpec(changes));
export const started = (attempt = 1) =>
  ExecutionAttemptStarted({ attempt, worker: WORKER, lease_token: tokenOf(attempt), queued_ms: 7 });
/** By default the start is the time of its report. */
export const startedElsewhere = (attempt = 1, started_at = NOW.toISOString()) =>
  ExecutionAttemptStarted({ attempt, worker: EXTERNAL_WORKER, lease_token: null, queued_ms: 0, started_at });
export const succeeded = (attempt = 1) => ExecutionSucceeded({ attempt, result: aResult() });
export const attemptFailed = (attempt = 1, reason: FailureReason = 'exit_code') =>
  ExecutionAttemptFailed({ attempt, reason, detail: null, result: FAILED_RESULT });
export const attemptLost = (attempt = 1) =>
  ExecutionAttemptFailed({ attempt, reason: 'infrastructure', detail: 'the worker was lost', result: null });
export const attemptReleased = (attempt = 1) => ExecutionAttemptReleased({ attempt, why: 'the worker shuts down' });
export const retryScheduled = (attempt: number, delayMs: number) =>
  ExecutionRetryScheduled({ attempt, not_before: isoAfterMs(delayMs) });
export const failed = (attempt = 1, reason: FailureReason = 'exit_code') => ExecutionFailed({ attempt, reason });
export const timedOut = (attempt = 1) => ExecutionTimedOut({ attempt });
export const deadLettered = (attempt: number, reason: FailureReason = 'infrastructure') =>
  ExecutionDeadLettered({ attempt, reason });
export const redriven = (attempt: number) => ExecutionRedriven({ attempt });
export const discarded = ExecutionDeadLetterDiscarded({});
export const cancellationRequested = (attempt = 1) => ExecutionCancellationRequested({ attempt });
export const cancelled = (result: RunResult | null = null) => ExecutionCancelled({ result });
/** By default without times: it ended at the time of the report. */
export const reported = (outcome: Outcome = 'completed', changes: Partial<ExternalReport> = {}) =>
  ExecutionReported({
    outcome,
    result: aResult(),
    started_at: null,
    completed_at: NOW.toISOString(),
    completed_at_reported: false,
    ...changes,
  });
export const expired = ExecutionExpired({});
