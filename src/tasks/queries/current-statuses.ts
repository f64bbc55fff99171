import type { Pool } from 'pg';

import type { EventStore } from '../../event-sourcing/core/event-store.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { CurrentRows } from '../../event-sourcing/projection/current-rows.js';
import { mapInParallel } from '../../platform/async/map-in-parallel.js';
import { ExecutionStatuses } from '../domain/batch-item-status.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import type { Status } from '../domain/execution-shape.js';
import { executionProjection, type ExecutionRow, projectExecution } from './execution-projection.js';

/** Streams read at a time, of executions whose view lags behind. */
const STREAMS_AT_A_TIME = 8;

/** Enough of a row for its status: of a thousand executions, the other columns may have megabytes. */
type StatusRow = Pick<ExecutionRow, 'id' | 'status' | 'version'>;

export class CurrentStatuses extends ExecutionStatuses {
  private readonly rows: CurrentRows<StatusRow>;

  constructor(pool: Pick<Pool, 'query'>, store: Pick<EventStore, 'readStream'>) {
    super();
    this.rows = new CurrentRows<StatusRow>({
      pool,
      store,
      projection: { table: executionProjection.table, columns: { id: 'uuid', status: 'text', version: 'integer' } },
      statement: 'executions_status',
      streamType: 'execution',
      // The fold of a status reads no other column.
      project: (row, event) => projectExecution(row as ExecutionRow | null, event as RecordedEvent<ExecutionEvent>),
    });
  }

  /** One statement, and one for each execution that the view does not show as it is. */
  override async of(executionIds: readonly string[]): Promise<ReadonlyMap<string, Status>> {
    const observed = await this.rows.observe(executionIds);
    const current = await mapInParallel(observed, STREAMS_AT_A_TIME, (each) => this.rows.complete(each));
    return new Map(current.flatMap(({ row }) => (row === null ? [] : [[row.id, row.status] as const])));
  }
}
