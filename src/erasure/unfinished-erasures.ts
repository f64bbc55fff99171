import type { Pool } from 'pg';

import { reportingOutages } from '../platform/postgres/outage.js';

export interface UnfinishedErasure {
  readonly user_id: string;
  /** Microseconds are cut off, so it is compared as text. */
  readonly requested_at: string;
  /** No request of the account can be under way any more, and the views show all that the last ones did. */
  readonly is_settled: boolean;
}

/** A lagging view shows up as an event that it does not contain, recorded before the time. */
const NEXT = `
  select user_id, requested_at::text,
    requested_at < now() - $3 * interval '1 millisecond' and coalesce((
      select e.recorded_at from es.events e
      where e.position > coalesce((select position from read.checkpoints where subscription = $4), 0)
      order by e.position limit 1
    ) > requested_at + $3 * interval '1 millisecond', true) as is_settled
  from identity.erasures
  where completed_at is null and user_id > $1
  order by user_id limit $2`;

/** Erasures that were recorded and not completed. Every method may throw Unavailable. */
export class UnfinishedErasures {
  constructor(
    private readonly pool: Pick<Pool, 'query'>,
    /** The subscription that writes the views. */
    private readonly projector: string,
  ) {}

  /** @param after the last user of the previous page */
  async next(after: string, limit: number, settledMs: number): Promise<readonly UnfinishedErasure[]> {
    return (
      await reportingOutages(() => this.pool.query<UnfinishedErasure>(NEXT, [after, limit, settledMs, this.projector]))
    ).rows;
  }

  /** Does nothing if it was requested again in the meantime. */
  async complete({ user_id, requested_at }: UnfinishedErasure): Promise<void> {
    await reportingOutages(() =>
      this.pool.query(
        `update identity.erasures set completed_at = now()
         where user_id = $1 and requested_at = $2::timestamptz and completed_at is null`,
        [user_id, requested_at],
      ),
    );
  }
}
