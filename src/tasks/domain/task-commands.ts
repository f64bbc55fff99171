import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { Requester } from '../../kernel/requester.js';
import type { VersionCondition } from '../../kernel/version-condition.js';
import type { Outcome } from './execution-shape.js';
import type { LimitFloor } from './limit-floors.js';
import type { TaskDefinition } from './task-events.js';

/** Only the fields that change; a retry policy and limits may be partial. */
export type TaskChanges = Partial<Omit<TaskDefinition, 'retry' | 'limits'>> & {
  readonly retry?: Partial<TaskDefinition['retry']>;
  readonly limits?: Partial<TaskDefinition['limits']>;
};

export class CreateTask {
  readonly type = 'CreateTask';
  constructor(
    readonly taskId: string,
    readonly ownerId: string,
    readonly definition: TaskDefinition,
    readonly metadata: EventMetadata,
  ) {}
}

export class UpdateTask {
  readonly type = 'UpdateTask';
  constructor(
    readonly taskId: string,
    readonly requester: Requester,
    readonly changes: TaskChanges,
    /** Of each runtime, by its name. */
    readonly floors: Readonly<Record<string, LimitFloor>>,
    readonly metadata: EventMetadata,
    /** On the definition's version. */
    readonly condition: VersionCondition = {},
    /** The tests from which the change was made: the task must still have them. Undefined: from none. */
    readonly suiteFrom?: TaskDefinition['suite'],
  ) {}
}

export class DeleteTask {
  readonly type = 'DeleteTask';
  constructor(
    readonly taskId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
    /** On the definition's version. */
    readonly condition: VersionCondition = {},
  ) {}
}

/** The task's part in starting, redriving and ending an execution; always sent together with the execution's part. */
export type TaskExecutionCommand =
  | { readonly type: 'BeginExecution'; readonly requester: Requester; readonly executionId: string }
  | { readonly type: 'ResumeExecution'; readonly executionId: string }
  | { readonly type: 'FinishExecution'; readonly executionId: string; readonly outcome: Outcome };

export type TaskCommand = CreateTask | UpdateTask | DeleteTask | TaskExecutionCommand;
