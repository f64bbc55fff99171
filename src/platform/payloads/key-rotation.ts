import type { Pool } from 'pg';

import { NIL_UUID } from '../../kernel/uuid.js';
import { reportingOutages } from '../postgres/outage.js';
import { keyContext } from './data-keys.js';
import type { MasterKeys } from './master-keys.js';

const KEYS_AT_A_TIME = 200;

interface DataKeyRow {
  readonly owner_id: string;
  readonly wrapped_key: Buffer;
}

/** Data keys, by the master key that wraps them. */
export interface Rotation {
  /** Wrapped with the current key, by this rotation or before. */
  readonly current: number;
  /** Of those, the ones that this rotation wrapped. */
  readonly rewrapped: number;
  /** Wrapped with another key that is still accepted. Zero after a rotation. */
  readonly others: number;
  /** The owners of keys that no master key opens; these keys are left unchanged. */
  readonly unreadable: readonly string[];
}

/**
 * Wraps every data key with the current master key. Payloads and data keys stay the same, so a process that holds a
 * data key in memory continues. It may be interrupted and repeated, and run beside services that read and write, as
 * long as all of them accept both keys.
 * @param change false: only counts
 * @throws Unavailable
 */
export async function rotateDataKeys(pool: Pool, masterKeys: MasterKeys, change: boolean): Promise<Rotation> {
  const counts = { current: 0, rewrapped: 0, others: 0 };
  const unreadable: string[] = [];
  for await (const { owner_id: ownerId, wrapped_key: wrapped } of allKeys(pool)) {
    const context = keyContext(ownerId);
    const found = masterKeys.find(wrapped, context);
    if (found === null) unreadable.push(ownerId);
    else if (found.isCurrent) counts.current += 1;
    else if (!change) counts.others += 1;
    else {
      counts.current += 1;
      if (await replace(pool, ownerId, wrapped, masterKeys.wrap(found.dataKey, context))) counts.rewrapped += 1;
    }
  }
  return { ...counts, unreadable };
}

async function* allKeys(pool: Pool): AsyncGenerator<DataKeyRow> {
  let after = NIL_UUID;
  for (;;) {
    const { rows } = await reportingOutages(() =>
      pool.query<DataKeyRow>(
        `select owner_id, wrapped_key from es.data_keys
         where owner_id > $1 and wrapped_key is not null order by owner_id limit $2`,
        [after, KEYS_AT_A_TIME],
      ),
    );
    yield* rows;
    const last = rows.at(-1);
    if (!last) return;
    after = last.owner_id;
  }
}

/** Only if nobody has changed it: an owner who was erased meanwhile has no key any more. */
async function replace(pool: Pool, ownerId: string, from: Buffer, to: Buffer): Promise<boolean> {
  const { rowCount } = await reportingOutages(() =>
    pool.query('update es.data_keys set wrapped_key = $3 where owner_id = $1 and wrapped_key = $2', [
      ownerId,
      from,
      to,
    ]),
  );
  return rowCount === 1;
}
