import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import type { StreamRef } from '../core/event.js';
import { type Snapshot, SnapshotStore } from '../core/snapshot-store.js';

const LOAD = 'select version, state from es.snapshots where stream_id = $1 and reducer_version = $2';

/** Keeps the newer of two snapshots, and deletes those of earlier reducers. */
const SAVE = `
    with outdated as (delete from es.snapshots where stream_id = $1 and reducer_version < $2)
    insert into es.snapshots (stream_id, reducer_version, version, state) values ($1, $2, $3, $4)
    on conflict (stream_id, reducer_version) do update set version = excluded.version, state = excluded.state
    where snapshots.version < excluded.version`;

/** Snapshots in es.snapshots. The table is unlogged: a crash of Postgres may empty it, which loses no data. */
export class PostgresSnapshotStore extends SnapshotStore {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async load(stream: StreamRef, reducerVersion: number): Promise<Snapshot | null> {
    const { rows } = await reportingOutages(() => this.pool.query<Snapshot>(LOAD, [stream.id, reducerVersion]));
    return rows[0] ?? null;
  }

  override async save(stream: StreamRef, reducerVersion: number, { version, state }: Snapshot): Promise<void> {
    const values = [stream.id, reducerVersion, version, JSON.stringify(state)];
    await reportingOutages(() => this.pool.query(SAVE, values));
  }
}
