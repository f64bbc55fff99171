import type { Pool } from 'pg';

import { BinaryArray, uuid } from '../postgres/binary-array.js';
import { gathered, inOrderOf } from '../postgres/gathered.js';
import { reportingOutages } from '../postgres/outage.js';
import type { Projection } from './projection.js';

/**
 * Single rows of a view by their id. By name: Postgres parses and plans the statement once a connection. The columns are
 * named too, so that one that a migration adds does not change what a prepared statement answers, which Postgres refuses.
 * @returns null where there is none. @throws Unavailable
 */
export function rowLookup<Row extends { readonly id: string }>(
  pool: Pool,
  { table, columns }: Pick<Projection, 'table' | 'columns'>,
): (id: string) => Promise<Row | null> {
  const statement = {
    name: `${table}_by_id`,
    text: `select ${Object.keys(columns).join(', ')} from read.${table} where id = any($1::uuid[])`,
  };
  return gathered(async (ids: readonly string[]) => {
    const values = [new BinaryArray(uuid, ids)];
    const { rows } = await reportingOutages(() => pool.query<Row>({ ...statement, values }));
    return inOrderOf(ids, rows, ({ id }) => id);
  });
}
