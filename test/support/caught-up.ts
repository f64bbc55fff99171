import { expect } from '@jest/globals';
import type { Pool } from 'pg';

import { eventually } from './eventually.js';

/** Subscriptions and how many events each has still to apply, where it has any. */
const BEHIND = `
  select checkpoint.subscription, (head.position - checkpoint.position)::int as behind
  from es.head head, read.checkpoints checkpoint
  where checkpoint.subscription = any($1) and checkpoint.position < head.position`;

/** Waits until the subscriptions have applied, and acted upon, every event that is in the log by now. */
export async function caughtUp(pool: Pool, ...subscriptions: readonly string[]): Promise<void> {
  await eventually(async () => expect((await pool.query(BEHIND, [subscriptions])).rows).toEqual([]));
}
