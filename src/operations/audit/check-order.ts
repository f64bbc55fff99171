import type { Pool } from 'pg';

import { type CheckReport, Faults, FAULTS_QUOTED_MAX } from './finding.js';

const GAPS = `
  select position, before, recorded_at < recorded_before as went_back
  from (
    select position, lag(position, 1, $2::bigint) over w as before,
      recorded_at, lag(recorded_at) over w as recorded_before
    from es.events where position > $2 and position <= $1 window w as (order by position)
  ) neighbours
  where position <> before + 1 or recorded_at < recorded_before
  order by position limit ${FAULTS_QUOTED_MAX}`;

const BROKEN_CHAINS = `
  select stream_type, stream_id, version, expected, position
  from (
    select stream_type, stream_id, version, position,
      row_number() over (partition by stream_id order by position) as expected,
      first_value(stream_type) over (partition by stream_id order by position) as first_type
    from es.events where position <= $1
  ) chained
  where version <> expected or stream_type <> first_type
  order by position limit ${FAULTS_QUOTED_MAX}`;

/**
 * Positions are 1, 2, 3, … up to the head, and time never goes back along them.
 * @param after earlier positions were checked before
 */
export async function checkPositions(pool: Pool, head: bigint, after = 0n): Promise<CheckReport> {
  const faults = new Faults('positions are dense');
  const { rows } = await pool.query<{ position: bigint; before: bigint; went_back: boolean }>(GAPS, [head, after]);
  for (const { position, before, went_back } of rows) {
    if (position !== before + 1n) faults.add(`${before} is followed by ${position}`);
    if (went_back) faults.add(`${position} was recorded before ${before}`);
  }
  return faults.report(`${head - after} positions`);
}

/** Within each stream, versions are 1, 2, 3, … in the order of their positions. */
export async function checkVersions(pool: Pool, head: bigint): Promise<CheckReport> {
  const faults = new Faults('versions form chains');
  const { rows } = await pool.query<Record<'stream_type' | 'stream_id' | 'version' | 'expected' | 'position', string>>(
    BROKEN_CHAINS,
    [head],
  );
  for (const { stream_type, stream_id, version, expected, position } of rows) {
    faults.add(`${stream_type}-${stream_id} has version ${version} at position ${position}, not ${expected}`);
  }
  const count = await pool.query<{ streams: number }>(
    'select count(distinct stream_id)::int as streams from es.events where position <= $1',
    [head],
  );
  return faults.report(`${count.rows[0]?.streams ?? 0} streams`);
}
