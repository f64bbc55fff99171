import type { TaskEvent } from '../../../src/tasks/domain/task-events.js';
import { projectTask, taskProjection, type TaskRow } from '../../../src/tasks/queries/task-projection.js';
import { OWNER_ID } from '../../support/builders/people.js';
import { recorded, recordedAtOf, EXECUTION_STREAM, TASK_STREAM } from '../../support/builders/recorded.js';
import * as task from '../../support/builders/tasks.js';

const rowAfter = (...events: TaskEvent[]): TaskRow | null =>
  recorded(TASK_STREAM, events).reduce<TaskRow | null>(projectTask, null);

const CREATED: TaskRow = {
  id: task.TASK_ID,
  owner_id: OWNER_ID,
  name: 'a task',
  script_type: 'python',
  priority: 5,
  status: 'pending',
  definition: task.aDefinition(),
  definition_version: 1,
  active_runs: 0,
  created_at: recordedAtOf(1),
  updated_at: recordedAtOf(1),
  version: 1,
};

test('a new task is pending', () => {
  expect(rowAfter(task.taskCreated())).toEqual(CREATED);
});

test('an update changes the columns, the definition and its version', () => {
  const changes = { name: 'renamed', priority: 9, script_type: 'bash' as const, description: 'new' };
  expect(rowAfter(task.taskCreated(), task.taskUpdated(2, changes))).toEqual({
    ...CREATED,
    name: 'renamed',
    priority: 9,
    script_type: 'bash',
    definition: task.aDefinition(changes),
    definition_version: 2,
    updated_at: recordedAtOf(2),
    version: 2,
  });
});

test('a deleted task has no row', () => {
  expect(rowAfter(task.taskCreated(), task.taskDeleted)).toBeNull();
});

test('events of a task without a row are ignored', () => {
  expect(rowAfter(task.taskCreated(), task.taskDeleted, task.executionFinished())).toBeNull();
});

test('an execution makes the task running, from its start on', () => {
  const row = rowAfter(task.taskCreated(), task.executionStarted());
  expect(row).toEqual({ ...CREATED, status: 'running', active_runs: 1, version: 2 });
});

test.each([
  ['completed', 'completed'],
  ['failed', 'failed'],
  ['timeout', 'timeout'],
  ['cancelled', 'pending'],
] as const)('an execution that ended as %s makes the task %s, its definition unchanged', (outcome, status) => {
  const row = rowAfter(task.taskCreated(), task.executionStarted(), task.executionFinished(outcome));
  expect(row).toEqual({ ...CREATED, status, version: 3 });
});

test('a task is running while any of its executions is', () => {
  const started = [
    task.taskCreated({ max_parallel: 2 }),
    task.executionStarted(),
    task.executionStarted(task.OTHER_EXECUTION_ID),
  ];
  expect(rowAfter(...started, task.executionFinished('failed'))).toMatchObject({ status: 'running', active_runs: 1 });
  const ended = [
    ...started,
    task.executionFinished('failed'),
    task.executionFinished('completed', task.OTHER_EXECUTION_ID),
  ];
  expect(rowAfter(...ended)).toMatchObject({ status: 'completed', active_runs: 0 });
});

test('the projection reads task events, and no others', () => {
  const [ofTask] = recorded(TASK_STREAM, [task.taskCreated()]);
  const [ofRun] = recorded(EXECUTION_STREAM, [task.taskCreated()]);
  expect(taskProjection.keyOf(ofTask!)).toBe(task.TASK_ID);
  expect(taskProjection.keyOf(ofRun!)).toBeNull();
  expect(taskProjection.project(null, ofTask!)).toEqual(CREATED);
  expect(Object.keys(taskProjection.columns)).toEqual(Object.keys(CREATED));
});
