import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import { type Advance, StreamVersions } from '../core/stream-versions.js';

/** One index probe per stream: grouping over `= any(…)` would read all versions of each. */
const VERSIONS = `
    select given.stream_id, (select max(version) from es.events e where e.stream_id = given.stream_id) as version
    from unnest($1::uuid[]) as given(stream_id)`;

const HEAD = 'select position from es.head';

const ADVANCE = {
  name: 'log_advance',
  text: 'select position, stream_id, version from es.events where position > $1 order by position limit $2',
};
/** Events read at a time. */
const ADVANCE_EVENTS_MAX = 1_000;

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

  override async advanceSince(position: bigint | null): Promise<Advance> {
    const versions = new Map<string, number>();
    if (position === null) return { position: await this.head(), versions };
    let reached = position;
    for (let full = true; full;) {
      const { rows } = await reportingOutages(() =>
        this.pool.query<{ position: bigint; stream_id: string; version: number }>({
          ...ADVANCE,
          values: [reached, ADVANCE_EVENTS_MAX],
        }),
      );
      for (const { stream_id, version } of rows) versions.set(stream_id, version);
      reached = rows.at(-1)?.position ?? reached;
      full = rows.length === ADVANCE_EVENTS_MAX;
    }
    return { position: reached, versions };
  }

  private async head(): Promise<bigint> {
    const { rows } = await reportingOutages(() => this.pool.query<{ position: bigint }>(HEAD));
    return rows[0]!.position;
  }
}
