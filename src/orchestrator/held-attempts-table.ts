import type { Pool } from 'pg';

import { reportingOutages } from '../platform/postgres/outage.js';
import { type HeldAttempt, HeldAttempts } from './dead-workers.js';

/** More than the slots of any worker. */
const HELD_MAX = 1_000;
/** External executions have no worker of ours. */
const HELD = `from read.active_executions where status = 'running' and lease_token is not null`;

export class HeldAttemptsTable extends HeldAttempts {
  constructor(private readonly pool: Pool) {
    super();
  }

  async workers(): Promise<readonly string[]> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ worker: string }>(`select distinct worker ${HELD} and worker is not null`),
    );
    return rows.map(({ worker }) => worker);
  }

  async of(workerId: string): Promise<readonly HeldAttempt[]> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<HeldAttempt>(`select execution_id, attempt ${HELD} and worker = $1 limit ${HELD_MAX}`, [
        workerId,
      ]),
    );
    return rows;
  }
}
