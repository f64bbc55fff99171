import type { Pool } from 'pg';

import type { EventStore } from '../../event-sourcing/core/event-store.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { CurrentRows } from '../../event-sourcing/projection/current-rows.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import { executionProjection, type ExecutionRow, projectExecution } from './execution-projection.js';

export type CurrentExecutions = CurrentRows<ExecutionRow>;

/** Executions as current as the log: from the read model, and from their streams where it lags behind. */
export const currentExecutions = (
  pool: Pick<Pool, 'query'>,
  store: Pick<EventStore, 'readStream'>,
): CurrentExecutions =>
  new CurrentRows<ExecutionRow>({
    pool,
    store,
    projection: executionProjection,
    streamType: 'execution',
    project: (row, event) => projectExecution(row, event as RecordedEvent<ExecutionEvent>),
  });
