import type { Pool } from 'pg';

import { StreamVersions } from '../../kernel/ports/stream-versions.js';
import { reportingOutages } from '../postgres/outage.js';

/** One probe of an index per stream: grouping over `= any(…)` would read all versions of each. */
const VERSIONS = `
    select given.stream_id, (select max(version) from es.events e where e.stream_id = given.stream_id) as version
    from unnest($1::uuid[]) as given(stream_id)`;

/** Versions of many streams at once, from es.events. */
export class PostgresStreamVersions extends StreamVersions {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (streamIds.length === 0) return new Map();
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ stream_id: string; version: number | null }>(VERSIONS, [streamIds]),
    );
    return new Map(rows.flatMap(({ stream_id, version }) => (version === null ? [] : [[stream_id, version]])));
  }
}
