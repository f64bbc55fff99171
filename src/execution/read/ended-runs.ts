import type { Pool } from 'pg';

import { OUTCOMES } from '../../kernel/run-shape.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { PositionAnnouncements } from '../../platform/projection/position-announcements.js';
import type { Log } from '../../platform/telemetry/log.js';
import { Lookout } from '../../platform/waiting/lookout.js';
import { executionProjection, type ExecutionRow } from './execution-projection.js';

/** For an announcement that was lost, or NATS being away. */
const POLL_INTERVAL_MS = 250;

const ENDED = {
  name: 'ended_runs',
  text: `select ${Object.keys(executionProjection.columns).join(', ')} from read.executions
         where id = any($1::uuid[]) and status = any($2)`,
};

/**
 * Waits for runs to end, as the read model tells it: whoever was told reads the end in every view. It looks when the
 * projector says that it has moved on, without rest: what it spares would be added to the time of a short run.
 */
export class EndedRuns {
  private readonly lookout: Lookout<string, ExecutionRow>;

  constructor(
    private readonly pool: Pool,
    projected: PositionAnnouncements,
    log: Log,
  ) {
    this.lookout = new Lookout({
      look: (ids) => this.ended(ids),
      pollIntervalMs: POLL_INTERVAL_MS,
      restMs: 0,
      log,
    });
    projected.onPosition(() => this.lookout.news());
  }

  /** Never rejects. @returns the run as it has ended, false where the time was up or the signal aborted before */
  wait(executionId: string, timeoutMs: number, signal: AbortSignal): Promise<ExecutionRow | false> {
    return this.lookout.wait(executionId, { timeoutMs, signal });
  }

  private async ended(ids: readonly string[]) {
    const { rows } = await reportingOutages(() => this.pool.query<ExecutionRow>({ ...ENDED, values: [ids, OUTCOMES] }));
    const ended = new Map(rows.map((row) => [row.id, row]));
    return (id: string) => ended.get(id) ?? false;
  }
}
