import type { Pool } from 'pg';

import { LOCK_LOG } from '../../src/event-sourcing/event-store/append-statements.js';
import { eventually } from './eventually.js';

/** Holds the log's lock on another connection: appends wait until `release()`. */
export async function holdLog(ownerPool: Pool): Promise<{ release(): Promise<void> }> {
  const holder = await ownerPool.connect();
  await holder.query('begin');
  await holder.query(`select ${LOCK_LOG}`);
  return {
    release: async () => {
      await holder.query('rollback');
      holder.release();
    },
  };
}

/** Waits until this many appends wait for the lock. @returns the pids of their backends */
export const appendsWaiting = (appPool: Pool, count = 1): Promise<number[]> =>
  eventually(async () => {
    const { rows } = await appPool.query<{ pid: number }>(
      `select pid from pg_stat_activity
       where datname = current_database() and application_name like '% append' and wait_event_type = 'Lock'`,
    );
    if (rows.length !== count) throw new Error(`${rows.length} appends wait, not ${count}`);
    return rows.map(({ pid }) => pid);
  });
