import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { Status } from '../domain/execution-shape.js';
import type { TaskDefinition, TaskEvent } from '../domain/task-events.js';

/** A row of `read.tasks`. Times are ISO 8601 if they come from an event, dates if they come from Postgres. */
export interface TaskRow {
  readonly id: string;
  readonly owner_id: string;
  readonly name: string;
  readonly script_type: string;
  readonly priority: number;
  readonly status: Status;
  readonly definition: TaskDefinition;
  readonly definition_version: number;
  readonly active_runs: number;
  readonly created_at: string | Date;
  /** When the definition last changed; executions do not change it. */
  readonly updated_at: string | Date;
  /** Version of the stream, which counts executions too. */
  readonly version: number;
}

/** @returns null for a deleted task: it has no row */
export function projectTask(row: TaskRow | null, event: RecordedEvent<TaskEvent>): TaskRow | null {
  const { version } = event;
  const at = event.recordedAt.toISOString();
  if (event.type === 'TaskCreated') {
    const { task_id: id, owner_id, definition } = event.data;
    const start = { status: 'pending', definition_version: 1, active_runs: 0 } as const;
    return { id, owner_id, ...shown(definition), definition, ...start, created_at: at, updated_at: at, version };
  }
  if (row === null) return null;
  switch (event.type) {
    case 'TaskUpdated': {
      const definition = { ...row.definition, ...event.data.changes };
      const { definition_version } = event.data;
      return { ...row, ...shown(definition), definition, definition_version, updated_at: at, version };
    }
    case 'TaskDeleted':
      return null;
    case 'TaskExecutionStarted':
      return { ...row, status: 'running', active_runs: row.active_runs + 1, version };
    case 'TaskExecutionFinished': {
      const active_runs = row.active_runs - 1;
      // After a cancellation the task is pending, as if it had never been executed: it can be started again.
      const ended = event.data.outcome === 'cancelled' ? 'pending' : event.data.outcome;
      return { ...row, status: active_runs > 0 ? 'running' : ended, active_runs, version };
    }
    default:
      return unreachable(event);
  }
}

/** The fields that lists sort and filter by have their own columns. */
function shown({ name, script_type, priority }: TaskDefinition) {
  return { name, script_type, priority };
}

export const taskProjection = defineProjection<TaskRow>({
  table: 'tasks',
  key: 'id',
  columns: {
    id: 'uuid',
    owner_id: 'uuid',
    name: 'text',
    script_type: 'text',
    priority: 'smallint',
    status: 'text',
    definition: 'jsonb',
    definition_version: 'integer',
    active_runs: 'integer',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
    version: 'integer',
  },
  keyOf: ({ stream }) => (stream.type === 'task' ? stream.id : null),
  project: (row, event) => projectTask(row, event as RecordedEvent<TaskEvent>),
});
