import type { Requester } from '../../../src/kernel/requester.js';
import type { Outcome, RetryPolicy } from '../../../src/tasks/domain/execution-shape.js';
import {
  CreateTask,
  DeleteTask,
  type TaskExecutionCommand,
  UpdateTask,
} from '../../../src/tasks/domain/task-commands.js';
import {
  TaskCreated,
  type TaskDefinition,
  TaskDeleted,
  TaskExecutionFinished,
  TaskExecutionStarted,
  TaskUpdated,
} from '../../../src/tasks/domain/task-events.js';
import { metadata, owner, OWNER_ID } from './people.js';

export const TASK_ID = '018f0000-0000-7000-8000-000000000001';
export const EXECUTION_ID = '018f0000-0000-7000-8000-000000000002';
export const OTHER_EXECUTION_ID = '018f0000-0000-7000-8000-000000000003';

export const SCRIPT = { payload_id: '018f0000-0000-7000-8000-000000000004', bytes: 12, sha256: 'ab'.repeat(32) };

/** Three attempts on infrastructure and timeouts; waits of 1 s, then 2 s, before jitter. */
export const RETRY: RetryPolicy = {
  max_attempts: 3,
  initial_delay_ms: 1_000,
  backoff_factor: 2,
  max_delay_ms: 60_000,
  retry_on: ['infrastructure', 'timeout'],
};

export const FLOORS = { python: { memory_mb: 16, pids: 16 }, go: { memory_mb: 64, pids: 32 } };

export const aDefinition = (changes: Partial<TaskDefinition> = {}): TaskDefinition => ({
  name: 'a task',
  description: null,
  script: SCRIPT,
  script_type: 'python',
  suite: null,
  priority: 5,
  timeout_seconds: 300,
  metadata: {},
  max_parallel: 1,
  retry: RETRY,
  limits: { memory_mb: 256, cpus: 1, pids: 64 },
  ...changes,
});

export const taskCreated = (changes: Partial<TaskDefinition> = {}) =>
  TaskCreated({ task_id: TASK_ID, owner_id: OWNER_ID, definition: aDefinition(changes) });
export const taskUpdated = (definition_version: number, changes: Partial<TaskDefinition>) =>
  TaskUpdated({ definition_version, changes });
export const taskDeleted = TaskDeleted({});
export const executionStarted = (execution_id = EXECUTION_ID) => TaskExecutionStarted({ execution_id });
export const executionFinished = (outcome: Outcome = 'completed', execution_id = EXECUTION_ID) =>
  TaskExecutionFinished({ execution_id, outcome });

export const createTask = (changes: Partial<TaskDefinition> = {}) =>
  new CreateTask(TASK_ID, OWNER_ID, aDefinition(changes), metadata);
export const updateTask = (
  changes: Partial<TaskDefinition>,
  { requester = owner, version }: { requester?: Requester; version?: number } = {},
) => new UpdateTask(TASK_ID, requester, changes, FLOORS, metadata, version === undefined ? {} : { anyOf: [version] });
export const deleteTask = (requester: Requester = owner) => new DeleteTask(TASK_ID, requester, metadata);
export const beginExecution = (executionId = EXECUTION_ID, requester: Requester = owner): TaskExecutionCommand => ({
  type: 'BeginExecution',
  requester,
  executionId,
});
export const resumeExecution = (executionId = EXECUTION_ID): TaskExecutionCommand => ({
  type: 'ResumeExecution',
  executionId,
});
export const finishExecution = (outcome: Outcome = 'completed', executionId = EXECUTION_ID): TaskExecutionCommand => ({
  type: 'FinishExecution',
  executionId,
  outcome,
});
