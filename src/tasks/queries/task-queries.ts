import { Query, QueryHandler, type IQueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { type AsOf, portionsAsOf } from '../../event-sourcing/core/as-of.js';
import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs, type RecordedEvent } from '../../event-sourcing/core/event.js';
import { portionsOf } from '../../event-sourcing/core/stream-portions.js';
import { CurrentRows } from '../../event-sourcing/projection/current-rows.js';
import { HISTORY_PORTION_EVENTS } from '../../http/listing/history.js';
import { type ListQuery, type Page, readPage } from '../../http/listing/list-query.js';
import { type Requester, requireOwner } from '../../kernel/requester.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import { taskNotFound, taskStream } from '../domain/task-decider.js';
import type { TaskEvent } from '../domain/task-events.js';
import { projectTask, taskProjection, type TaskRow } from './task-projection.js';

/** A task as it is now, even if the read model lags behind. @throws DomainError task_not_found, access_denied */
export class GetTask extends Query<TaskRow> {
  constructor(
    readonly taskId: string,
    readonly requester: Requester,
  ) {
    super();
  }
}

/** A task from its own stream: includes what a command just recorded, even if the read models lag behind. */
export class GetTaskFromLog extends Query<TaskRow> {
  constructor(
    readonly taskId: string,
    /** The last version to include. */
    readonly version?: number,
  ) {
    super();
  }
}

/** A task at an earlier time or version, even if deleted since. @throws DomainError task_not_found, access_denied */
export class GetTaskAsOf extends Query<TaskRow> {
  constructor(
    readonly taskId: string,
    readonly requester: Requester,
    readonly asOf: AsOf,
  ) {
    super();
  }
}

/** The events of a task, oldest first; a deleted task keeps its history. */
export class GetTaskHistory extends Query<AsyncIterable<readonly RecordedEvent[]>> {
  constructor(
    readonly taskId: string,
    readonly requester: Requester,
    readonly afterVersion: number,
    readonly limit: number,
  ) {
    super();
  }
}

export class ListTasks extends Query<Page<TaskRow>> {
  constructor(
    readonly ownerId: string,
    readonly query: ListQuery & { readonly status?: string | undefined; readonly script_type?: string | undefined },
  ) {
    super();
  }
}

@QueryHandler(GetTask)
export class GetTaskHandler implements IQueryHandler<GetTask> {
  private readonly current: CurrentRows<TaskRow>;

  constructor(pool: Pool, store: EventStore) {
    this.current = new CurrentRows<TaskRow>({
      pool,
      store,
      projection: taskProjection,
      streamType: 'task',
      project: (row, event) => projectTask(row, event as RecordedEvent<TaskEvent>),
      removedBy: ['TaskDeleted'],
    });
  }

  async execute({ taskId, requester }: GetTask): Promise<TaskRow> {
    const row = await this.current.find(taskId);
    if (!row) throw taskNotFound();
    requireOwner(requester, row.owner_id);
    return row;
  }
}

@QueryHandler(GetTaskFromLog)
export class GetTaskFromLogHandler implements IQueryHandler<GetTaskFromLog> {
  constructor(private readonly store: EventStore) {}

  async execute({ taskId, version }: GetTaskFromLog): Promise<TaskRow> {
    return rowOf(portionsOf(this.store, taskStream(taskId), { limit: version }));
  }
}

@QueryHandler(GetTaskAsOf)
export class GetTaskAsOfHandler implements IQueryHandler<GetTaskAsOf> {
  constructor(private readonly store: EventStore) {}

  async execute({ taskId, requester, asOf }: GetTaskAsOf): Promise<TaskRow> {
    const stream = taskStream(taskId);
    requireOwnTask(eventsAs<TaskEvent>(await this.store.readStream(stream, { limit: 1 })), requester);
    return rowOf(portionsAsOf(portionsOf(this.store, stream), asOf));
  }
}

@QueryHandler(GetTaskHistory)
export class GetTaskHistoryHandler implements IQueryHandler<GetTaskHistory> {
  constructor(private readonly store: EventStore) {}

  async execute({ taskId, requester, afterVersion, limit }: GetTaskHistory) {
    const stream = taskStream(taskId);
    requireOwnTask(eventsAs<TaskEvent>(await this.store.readStream(stream, { limit: 1 })), requester);
    return portionsOf(this.store, stream, { afterVersion, limit, portionEvents: HISTORY_PORTION_EVENTS });
  }
}

/** @throws DomainError task_not_found if the task does not exist, or has been deleted */
async function rowOf(portions: AsyncIterable<readonly RecordedEvent[]>): Promise<TaskRow> {
  let row: TaskRow | null = null;
  for await (const events of portions) row = fold({ evolve: projectTask }, row, eventsAs<TaskEvent>(events));
  if (!row) throw taskNotFound();
  return row;
}

function requireOwnTask([first]: readonly RecordedEvent<TaskEvent>[], requester: Requester): void {
  if (first?.type !== 'TaskCreated') throw taskNotFound();
  requireOwner(requester, first.data.owner_id);
}

@QueryHandler(ListTasks)
export class ListTasksHandler implements IQueryHandler<ListTasks> {
  constructor(private readonly pool: Pool) {}

  execute({ ownerId, query }: ListTasks): Promise<Page<TaskRow>> {
    const { status, script_type } = query;
    const where = { owner_id: ownerId, status, script_type };
    return reportingOutages(() => readPage<TaskRow>(this.pool, { table: 'read.tasks', where }, query));
  }
}

export const taskQueryHandlers = [
  GetTaskHandler,
  GetTaskFromLogHandler,
  GetTaskAsOfHandler,
  GetTaskHistoryHandler,
  ListTasksHandler,
];
