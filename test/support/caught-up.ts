import type { Pool } from 'pg';

import { eventually } from './eventually.js';

/** Subscriptions that still have events to apply, with their number. */
const BEHIND = `
  select checkpoint.subscription, (head.position - checkpoint.position)::int as behind
  from es.head head, read.checkpoints checkpoint
  where checkpoint.subscription = any($1) and checkpoint.position < head.position`;

/** Waits until the subscriptions have applied all events that are in the log now, and acted on them. */
export async function caughtUp(pool: Pool, ...subscriptions: readonly string[]): Promise<void> {
  await eventually(async () => expect((await pool.query(BEHIND, [subscriptions])).rows).toEqual([]));
}
