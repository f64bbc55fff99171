import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';

/**
 * The same as `leafHash(eventLeaf(event))`, computed by Postgres: reading the events would cost twice as much. A server
 * that computes something else is found by the next check, which hashes in its own process.
 */
const LEAF_HASHES = {
  name: 'leaf_hashes',
  text: `
  select
    string_agg(sha256('\\x00'::bytea || convert_to(concat(
      '{"position":', position, ',"stream":', to_json(concat(stream_type, '-', stream_id)), ',"version":', version,
      ',"id":"', event_id, '","type":', to_json(type), ',"schema_version":', schema_version,
      ',"time":"', to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      '","data":', data, ',"metadata":', metadata, '}'
    ), 'UTF8')), ''::bytea order by position) as hashes,
    max(position)::text as last
  from (select * from es.events where position > $1 order by position limit $2) e`,
};

export interface LeafHashes {
  /** Concatenated, in the order of positions. */
  readonly hashes: Buffer;
  /** The position of the last one. */
  readonly last: number;
}

/** Hashes of the events after a position, at most `limit`; null if there are none. @throws Unavailable */
export async function leafHashesAfter(pool: Pool, position: number, limit: number): Promise<LeafHashes | null> {
  const { rows } = await reportingOutages(() =>
    pool.query<{ hashes: Buffer | null; last: string }>({ ...LEAF_HASHES, values: [position, limit] }),
  );
  const [row] = rows;
  return row?.hashes ? { hashes: row.hashes, last: Number(row.last) } : null;
}
