import type { Decider } from '../../event-sourcing/core/decider.js';
import type { StreamRef } from '../../event-sourcing/core/event.js';
import { DomainError, InvalidFields, unreachable } from '../../kernel/errors.js';
import { isSameJson } from '../../kernel/json.js';
import { requireOwner } from '../../kernel/requester.js';
import { requireVersion } from '../../kernel/version-condition.js';
import type { Outcome, SuiteRef } from './execution-shape.js';
import { limitsBelowFloor } from './limit-floors.js';
import type { TaskCommand, UpdateTask } from './task-commands.js';
import { changedDefinition } from './task-definition.js';
import {
  TaskCreated,
  type TaskDefinition,
  TaskDeleted,
  type TaskEvent,
  TaskExecutionFinished,
  TaskExecutionStarted,
  TaskUpdated,
} from './task-events.js';

export interface LiveTask {
  readonly status: 'live' | 'deleted';
  readonly task_id: string;
  readonly owner_id: string;
  readonly definition: TaskDefinition;
  /** Counts changes of the definition; executions do not change it. */
  readonly definition_version: number;
  /** The executions under way, at most `max_parallel` of them. */
  readonly active: readonly string[];
  readonly last_outcome: Outcome | null;
}

export type TaskState = { readonly status: 'absent' } | LiveTask;

export const taskStream = (taskId: string): StreamRef => ({ type: 'task', id: taskId });

export const taskNotFound = (): DomainError => new DomainError('task_not_found', 'Task not found', 'not_found');

const taskIsRunning = (): DomainError => new DomainError('task_running', 'Task is already running');

export const taskDecider: Decider<TaskCommand, TaskState, TaskEvent> = {
  initialState: { status: 'absent' },
  decide,
  evolve,
  // A task that is executed often has a long stream; an execution's stream is short.
  reducerVersion: 3,
};

function decide(command: TaskCommand, state: TaskState): readonly TaskEvent[] {
  switch (command.type) {
    case 'CreateTask': {
      if (state.status !== 'absent') return [];
      const { taskId, ownerId, definition } = command;
      return [TaskCreated({ task_id: taskId, owner_id: ownerId, definition })];
    }
    case 'UpdateTask':
      return update(command, requireLive(state));
    case 'DeleteTask': {
      const task = requireLive(state);
      requireOwner(command.requester, task.owner_id);
      requireVersion(command.condition, task.definition_version, 'Task');
      requireIdle(task, 'delete');
      return [TaskDeleted({})];
    }
    case 'BeginExecution': {
      const task = requireLive(state);
      requireOwner(command.requester, task.owner_id);
      return begin(task, command.executionId);
    }
    case 'ResumeExecution': {
      if (state.status !== 'live') throw new DomainError('task_deleted', 'Task has been deleted');
      return begin(state, command.executionId);
    }
    case 'FinishExecution': {
      if (state.status === 'absent' || !state.active.includes(command.executionId)) return [];
      return [TaskExecutionFinished({ execution_id: command.executionId, outcome: command.outcome })];
    }
    default:
      return unreachable(command);
  }
}

function update(command: UpdateTask, task: LiveTask): readonly TaskEvent[] {
  requireOwner(command.requester, task.owner_id);
  requireVersion(command.condition, task.definition_version, 'Task');
  requireIdle(task, 'update');
  const { definition } = task;
  requireSameSuite(definition.suite, command.suiteFrom);
  const changes = changedDefinition(definition, command.changes);
  const changed = Object.entries(changes).filter(
    ([field, value]) => !isSameJson(value, definition[field as keyof TaskDefinition]),
  );
  if (changed.length === 0) return [];
  if (changes.limits || changes.script_type) requireFloors({ ...definition, ...changes }, command.floors);
  return [
    TaskUpdated({
      definition_version: task.definition_version + 1,
      changes: Object.fromEntries(changed) as Partial<TaskDefinition>,
    }),
  ];
}

/** A change of the tests alone, or of their judge alone, was made from both. */
function requireSameSuite(current: SuiteRef | null, from: SuiteRef | null | undefined): void {
  if (from === undefined || current?.payload.payload_id === from?.payload.payload_id) return;
  throw new DomainError('task_changed', 'Changed by someone else in the meantime');
}

function begin(task: LiveTask, executionId: string): readonly TaskEvent[] {
  if (task.active.includes(executionId)) return [];
  if (task.active.length >= task.definition.max_parallel) throw taskIsRunning();
  return [TaskExecutionStarted({ execution_id: executionId })];
}

/** Checks the merged definition: a new runtime may make the stored limits too small. */
function requireFloors(
  { script_type, limits }: Pick<TaskDefinition, 'script_type' | 'limits'>,
  floors: UpdateTask['floors'],
): void {
  const floor = floors[script_type];
  const faults = floor ? limitsBelowFloor(script_type, floor, limits) : [];
  if (faults.length > 0) throw new InvalidFields(faults);
}

function requireLive(state: TaskState): LiveTask {
  if (state.status !== 'live') throw taskNotFound();
  return state;
}

function requireIdle(task: LiveTask, action: 'update' | 'delete'): void {
  if (task.active.length > 0) throw new DomainError('task_running', `Cannot ${action} a running task`);
}

function evolve(state: TaskState, event: TaskEvent): TaskState {
  if (event.type === 'TaskCreated') {
    return { status: 'live', ...event.data, definition_version: 1, active: [], last_outcome: null };
  }
  if (state.status === 'absent') throw new Error(`${event.type} on a task that was never created`);
  switch (event.type) {
    case 'TaskUpdated': {
      const { changes, definition_version } = event.data;
      return { ...state, definition: { ...state.definition, ...changes }, definition_version };
    }
    case 'TaskDeleted':
      return { ...state, status: 'deleted' };
    case 'TaskExecutionStarted':
      return { ...state, active: [...state.active, event.data.execution_id] };
    case 'TaskExecutionFinished':
      return {
        ...state,
        active: state.active.filter((id) => id !== event.data.execution_id),
        last_outcome: event.data.outcome,
      };
    default:
      return unreachable(event);
  }
}
