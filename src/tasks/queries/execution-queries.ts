import { type IQueryHandler, Query, QueryHandler } from '@nestjs/cqrs';
import { Pool } from 'pg';

import { type AsOf, portionsAsOf } from '../../event-sourcing/core/as-of.js';
import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs, type RecordedEvent } from '../../event-sourcing/core/event.js';
import { portionsOf } from '../../event-sourcing/core/stream-portions.js';
import { HISTORY_PORTION_EVENTS } from '../../http/listing/history.js';
import { type ListQuery, type Page, readPage } from '../../http/listing/list-query.js';
import { DomainError } from '../../kernel/errors.js';
import { type Requester, requireOwner } from '../../kernel/requester.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import { executionNotFound } from '../domain/execution-decider.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import { executionStream } from '../domain/execution-state.js';
import { type CurrentExecutions, currentExecutions } from './current-executions.js';
import { type ExecutionRow, projectExecution } from './execution-projection.js';
import { withoutLeaseToken } from './lease-token-redaction.js';

/** An execution as it is now, even if the read model lags. @throws DomainError execution_not_found, access_denied */
export class GetExecution extends Query<ExecutionRow> {
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
  ) {
    super();
  }
}

/** An execution from its own stream: includes what a command just recorded, even if the read models lag behind. */
export class GetExecutionFromLog extends Query<ExecutionRow> {
  constructor(
    readonly executionId: string,
    /** The last version to include. */
    readonly version?: number,
  ) {
    super();
  }
}

/** An execution at an earlier time or version. @throws DomainError execution_not_found, access_denied */
export class GetExecutionAsOf extends Query<ExecutionRow> {
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
    readonly asOf: AsOf,
  ) {
    super();
  }
}

/** The events of an execution, oldest first, as they are shown to its owner. */
export class GetExecutionHistory extends Query<AsyncIterable<readonly RecordedEvent[]>> {
  constructor(
    readonly executionId: string,
    readonly requester: Requester,
    readonly afterVersion: number,
    readonly limit: number,
  ) {
    super();
  }
}

export interface ExecutionFilter {
  readonly taskId?: string | undefined;
  readonly status?: string | undefined;
  readonly script_type?: string | undefined;
  /** Only dead letters that have not been discarded. */
  readonly deadLetters?: boolean;
}

export class ListExecutions extends Query<Page<ExecutionRow>> {
  constructor(
    /** Undefined: everyone's. */
    readonly ownerId: string | undefined,
    readonly filter: ExecutionFilter,
    readonly query: ListQuery,
  ) {
    super();
  }
}

@QueryHandler(GetExecution)
export class GetExecutionHandler implements IQueryHandler<GetExecution> {
  private readonly current: CurrentExecutions;

  constructor(pool: Pool, store: EventStore) {
    this.current = currentExecutions(pool, store);
  }

  async execute({ executionId, requester }: GetExecution): Promise<ExecutionRow> {
    const row = await this.current.find(executionId);
    if (!row) throw executionNotFound();
    requireOwner(requester, row.owner_id);
    return row;
  }
}

@QueryHandler(GetExecutionFromLog)
export class GetExecutionFromLogHandler implements IQueryHandler<GetExecutionFromLog> {
  constructor(private readonly store: EventStore) {}

  async execute({ executionId, version }: GetExecutionFromLog): Promise<ExecutionRow> {
    return rowOf(portionsOf(this.store, executionStream(executionId), { limit: version }));
  }
}

@QueryHandler(GetExecutionAsOf)
export class GetExecutionAsOfHandler implements IQueryHandler<GetExecutionAsOf> {
  constructor(private readonly store: EventStore) {}

  async execute({ executionId, requester, asOf }: GetExecutionAsOf): Promise<ExecutionRow> {
    const stream = executionStream(executionId);
    requireOwnExecution(eventsAs<ExecutionEvent>(await this.store.readStream(stream, { limit: 1 })), requester);
    return rowOf(portionsAsOf(portionsOf(this.store, stream), asOf));
  }
}

@QueryHandler(GetExecutionHistory)
export class GetExecutionHistoryHandler implements IQueryHandler<GetExecutionHistory> {
  constructor(private readonly store: EventStore) {}

  async execute({ executionId, requester, afterVersion, limit }: GetExecutionHistory) {
    const stream = executionStream(executionId);
    requireOwnExecution(eventsAs<ExecutionEvent>(await this.store.readStream(stream, { limit: 1 })), requester);
    return ownersPortions(
      portionsOf(this.store, stream, { afterVersion, limit, portionEvents: HISTORY_PORTION_EVENTS }),
    );
  }
}

async function* ownersPortions(portions: AsyncIterable<readonly RecordedEvent[]>) {
  for await (const events of portions) yield eventsAs<ExecutionEvent>(events).map(withoutLeaseToken);
}

/** @throws DomainError execution_not_found if there are no events yet */
async function rowOf(portions: AsyncIterable<readonly RecordedEvent[]>): Promise<ExecutionRow> {
  let row: ExecutionRow | null = null;
  for await (const events of portions) row = fold({ evolve: projectExecution }, row, eventsAs<ExecutionEvent>(events));
  if (!row) throw executionNotFound();
  return row;
}

function requireOwnExecution([first]: readonly RecordedEvent<ExecutionEvent>[], requester: Requester): void {
  if (first?.type !== 'ExecutionRequested') throw executionNotFound();
  requireOwner(requester, first.data.owner_id);
}

@QueryHandler(ListExecutions)
export class ListExecutionsHandler implements IQueryHandler<ListExecutions> {
  constructor(private readonly pool: Pool) {}

  execute({ ownerId, filter, query }: ListExecutions): Promise<Page<ExecutionRow>> {
    const { taskId: task_id, status, script_type, deadLetters } = filter;
    const where = {
      task_id,
      owner_id: ownerId,
      status,
      script_type,
      ...(deadLetters && { dead_lettered: true, dead_letter_discarded: false }),
    };
    return reportingOutages(() => readPage<ExecutionRow>(this.pool, { table: 'read.executions', where }, query));
  }
}

/** @throws DomainError dead_letter_not_found if the execution is not a dead letter, or was discarded */
export function requireDeadLetter(row: ExecutionRow): ExecutionRow {
  if (row.dead_lettered && !row.dead_letter_discarded) return row;
  throw new DomainError('dead_letter_not_found', 'Dead letter not found', 'not_found');
}

export const executionQueryHandlers = [
  GetExecutionHandler,
  GetExecutionFromLogHandler,
  GetExecutionAsOfHandler,
  GetExecutionHistoryHandler,
  ListExecutionsHandler,
];
