import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { Requester } from '../../kernel/requester.js';
import type { VersionCondition } from '../../kernel/version-condition.js';
import type { ExecutionSpec, RunResult } from './execution-events.js';
import type { FailureReason, Outcome } from './execution-shape.js';
import type { TaskChanges } from './task-commands.js';

/** The right to report on an attempt: a report with another token is refused. */
export interface AttemptLease {
  readonly executionId: string;
  readonly attempt: number;
  readonly leaseToken: string;
}

/** The clock and the random number that a decision about a retry needs. */
export interface RetryContext {
  readonly now: Date;
  /** In [0, 1). */
  readonly random: number;
}

/** What an execution gets beside its task's definition. */
export interface ExecutionContent {
  readonly executor: ExecutionSpec['executor'];
  readonly input: ExecutionSpec['input'];
  /** Of the files in `input`. */
  readonly inputPaths: readonly string[];
  /** Whether standard input is added while the program runs. Default: no. */
  readonly isInteractive?: boolean;
  /** Undefined: the task's tests. Null: the program is run once, without tests. */
  readonly suite: ExecutionSpec['suite'] | undefined;
  readonly webhook: ExecutionSpec['webhook'];
}

/** Starts an execution of a task's current definition. The task's event and the execution's are one append. */
export class StartExecution {
  constructor(
    readonly executionId: string,
    readonly taskId: string,
    readonly requester: Requester,
    readonly content: ExecutionContent,
    /** Of the task's definition, for this execution only. */
    readonly overrides: Pick<TaskChanges, 'priority' | 'timeout_seconds' | 'retry' | 'limits'>,
    readonly metadata: EventMetadata,
  ) {}
}

/** Starts an execution like an earlier one, whose input it gets as a copy. */
export class RerunExecution {
  constructor(
    readonly executionId: string,
    /** The earlier one. */
    readonly sourceId: string,
    readonly requester: Requester,
    /** What it was started with, or what its task is now. */
    readonly definition: 'recorded' | 'current',
    readonly overrides: StartExecution['overrides'],
    readonly metadata: EventMetadata,
  ) {}
}

export const INTERACTIVE_WITH_TESTS = 'must not be given for an execution with tests';
export const INPUT_FILE_AT_SCRIPT_PATH = 'is the path of the script itself';

/** The execution's part of StartExecution. */
export class RequestExecution {
  readonly type = 'RequestExecution';
  constructor(readonly spec: ExecutionSpec) {}
}

export class StartAttempt {
  readonly type = 'StartAttempt';
  constructor(
    readonly lease: AttemptLease,
    readonly worker: string,
    readonly queuedMs: number,
    readonly metadata: EventMetadata,
  ) {}
}

export class ReportSuccess {
  readonly type = 'ReportSuccess';
  constructor(
    readonly lease: AttemptLease,
    readonly result: RunResult,
    readonly metadata: EventMetadata,
  ) {}
}

export class ReportFailure {
  readonly type = 'ReportFailure';
  constructor(
    readonly lease: AttemptLease,
    /** `cancelled` if the run was killed on request. */
    readonly failure: { reason: FailureReason | 'cancelled'; detail: string | null; result: RunResult | null },
    readonly retryContext: RetryContext,
    readonly metadata: EventMetadata,
  ) {}
}

export class ReleaseAttempt {
  readonly type = 'ReleaseAttempt';
  constructor(
    readonly lease: AttemptLease,
    readonly why: string,
    readonly metadata: EventMetadata,
  ) {}
}

export class CancelExecution {
  readonly type = 'CancelExecution';
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
    /** On the version of the execution's stream. */
    readonly condition: VersionCondition = {},
  ) {}
}

/** The reconciler found that no worker runs this attempt any more. */
export class LoseAttempt {
  readonly type = 'LoseAttempt';
  constructor(
    readonly executionId: string,
    readonly attempt: number,
    readonly retryContext: RetryContext,
    readonly metadata: EventMetadata,
  ) {}
}

/** The end of an external execution was not reported in time. */
export class ExpireExternalExecution {
  readonly type = 'ExpireExternalExecution';
  constructor(
    readonly executionId: string,
    readonly attempt: number,
    readonly metadata: EventMetadata,
  ) {}
}

/** An external worker was to run this execution, and nothing was reported. */
export class ExpireUnreportedExecution {
  readonly type = 'ExpireUnreportedExecution';
  constructor(
    readonly executionId: string,
    readonly metadata: EventMetadata,
  ) {}
}

export class RedriveExecution {
  readonly type = 'RedriveExecution';
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
  ) {}
}

export class DiscardDeadLetter {
  readonly type = 'DiscardDeadLetter';
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
    /** On the version of the execution's stream. */
    readonly condition: VersionCondition = {},
  ) {}
}

export class ReportExternalExecution {
  readonly type = 'ReportExternalExecution';
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
    /** Times are ISO 8601 in UTC; null if not reported. */
    readonly report:
      | { readonly status: 'running'; readonly startedAt: string | null }
      | {
          readonly status: Outcome;
          readonly result: RunResult;
          readonly startedAt: string | null;
          readonly completedAt: string | null;
        },
    readonly now: Date,
    readonly metadata: EventMetadata,
    /** On the version of the execution's stream. */
    readonly condition: VersionCondition = {},
  ) {}
}

export type ExecutionCommand =
  | RequestExecution
  | StartAttempt
  | ReportSuccess
  | ReportFailure
  | ReleaseAttempt
  | CancelExecution
  | LoseAttempt
  | ExpireExternalExecution
  | ExpireUnreportedExecution
  | RedriveExecution
  | DiscardDeadLetter
  | ReportExternalExecution;
