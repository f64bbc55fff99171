import type { Pool } from 'pg';

import { reportingOutages } from '../platform/postgres/outage.js';
import type { ActiveBatch } from './active-batch.js';
import { ActiveBatches } from './batch-starter.js';

export class ActiveBatchesTable extends ActiveBatches {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async page(afterId: string | null, limit: number): Promise<readonly ActiveBatch[]> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<ActiveBatch>(
        `select batch_id, status, requested_at, traceparent from read.active_batches
         where $1::uuid is null or batch_id > $1 order by batch_id limit $2`,
        [afterId, limit],
      ),
    );
    return rows;
  }

  override async tasksOf(executionIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ id: string; task_id: string }>(
        `select stream_id as id, data ->> 'task_id' as task_id from es.events
         where stream_id = any($1::uuid[]) and version = 1 and type = 'ExecutionRequested'`,
        [executionIds],
      ),
    );
    return new Map(rows.map(({ id, task_id }) => [id, task_id]));
  }
}
