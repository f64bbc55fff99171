import type { Pool } from 'pg';

import { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import type { EventMetadata, StreamRef } from '../../src/event-sourcing/core/event.js';
import { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { newId } from '../../src/kernel/uuid.js';
import { createPool } from '../../src/platform/postgres/pool.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import type { TestDatabase } from '../../test/support/database.js';

/** One way to make an event durable. */
export interface Contender {
  readonly name: string;
  append(stream: StreamRef, expectedVersion: number): Promise<unknown>;
  close(): Promise<void>;
}

const TYPE = 'TaskUpdated';

const DATA = {
  task_id: newId(),
  name: 'nightly report',
  script: { payload_id: newId(), bytes: 512, sha256: 'a'.repeat(64) },
  timeout_ms: 30_000,
  retry_policy: { max_attempts: 3, initial_delay_ms: 1_000, backoff_factor: 2, max_delay_ms: 60_000 },
};

const METADATA: EventMetadata = {
  actor: `user:${newId()}`,
  correlation_id: newId(),
  request_id: newId(),
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};

export function eventStore(database: TestDatabase, pool: Pool): Contender {
  const options = { postgres: database.app, pool, catalog: new EventCatalog([]), log: silentLog };
  const store = new PostgresEventStore(options);
  return {
    name: 'event store',
    append: (stream, expectedVersion) =>
      store.append(
        [{ stream, expectedVersion, events: [{ eventId: newId(), type: TYPE, schemaVersion: 1, data: DATA }] }],
        METADATA,
      ),
    close: () => store.close(),
  };
}

/**
 * The minimum that a service without an event store does: one INSERT per transaction, autocommit, into its own table of
 * the same shape with the same indexes. No global order, no gap-free positions, no idempotency.
 * @param options.prepared false: sent by `pool.query(text, values)`; true: prepared once per connection
 */
export async function plainInsert(
  database: TestDatabase,
  options: { poolSize: number; prepared: boolean },
): Promise<Contender> {
  const { poolSize, prepared } = options;
  const table = prepared ? 'public.plain_prepared' : 'public.plain';
  await database.ownerPool.query(`
    create table ${table} (
      position bigint generated always as identity primary key,
      stream_type text not null, stream_id uuid not null, version int not null check (version > 0),
      event_id uuid not null unique, type text not null, schema_version smallint not null check (schema_version > 0),
      data jsonb not null, metadata jsonb not null, recorded_at timestamptz(3) not null default clock_timestamp(),
      unique (stream_id, version)
    )`);
  await database.ownerPool.query(`grant insert on ${table} to ${database.app.user}`);
  const pool = createPool({ ...database.app, applicationName: 'bench plain', size: poolSize });
  const text = `
    insert into ${table} (stream_type, stream_id, version, event_id, type, schema_version, data, metadata)
    values ($1, $2, $3, $4, $5, $6, $7, $8)`;
  return {
    name: prepared ? 'prepared INSERT' : 'plain INSERT',
    append: (stream, expectedVersion) => {
      const written = [stream.type, stream.id, expectedVersion + 1, newId(), TYPE, 1];
      const values = [...written, JSON.stringify(DATA), JSON.stringify(METADATA)];
      return pool.query(prepared ? { name: 'plain', text, values } : { text, values });
    },
    close: () => pool.end(),
  };
}
