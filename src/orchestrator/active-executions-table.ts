import type { Pool } from 'pg';

import { reportingOutages } from '../platform/postgres/outage.js';
import type { ActiveExecution } from './active-execution.js';
import { ActiveExecutions } from './reconciler.js';

export class ActiveExecutionsTable extends ActiveExecutions {
  constructor(private readonly pool: Pool) {
    super();
  }

  async page(afterId: string | null, limit: number): Promise<readonly ActiveExecution[]> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<ActiveExecution>(
        `select * from read.active_executions
         where status in ('pending', 'running') and ($1::uuid is null or execution_id > $1)
         order by execution_id limit $2`,
        [afterId, limit],
      ),
    );
    return rows;
  }
}
