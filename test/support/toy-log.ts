import type { Pool } from 'pg';
import { z } from 'zod';

import { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import { eventType } from '../../src/event-sourcing/core/event-type.js';
import type { RecordedEvent } from '../../src/event-sourcing/core/event.js';
import { PostgresEventStore } from '../../src/event-sourcing/event-store/postgres-event-store.js';
import { defineProjection } from '../../src/event-sourcing/projection/projection.js';
import type { JsonObject } from '../../src/kernel/json.js';
import { newId } from '../../src/kernel/uuid.js';
import { silentLog } from '../../src/platform/telemetry/log.js';
import type { TestDatabase } from './database.js';

/** Meaningless events, for tests of their transport. A stream is a counter. */
export const ToyAdded = eventType('ToyAdded', z.object({ amount: z.int(), note: z.string().optional() }));
export const ToyRemoved = eventType('ToyRemoved', z.object({}));
export const toyCatalog = new EventCatalog([ToyAdded, ToyRemoved]);

export interface ToyRow {
  readonly id: string;
  readonly total: number;
  readonly big: number;
  readonly notes: readonly string[];
  readonly facts: { readonly last: number };
  readonly at: string | Date;
  readonly version: number;
}

export const toyProjection = defineProjection<ToyRow>({
  table: 'toys',
  columns: {
    id: 'uuid',
    total: 'integer',
    big: 'bigint',
    notes: 'text[]',
    facts: 'jsonb',
    at: 'timestamptz',
    version: 'integer',
  },
  key: 'id',
  keyOf: (event) => (event.type.startsWith('Toy') ? event.stream.id : null),
  project(row, event) {
    if (event.type === 'ToyRemoved') return null;
    const { amount, note } = event.data as { amount: number; note?: string };
    if (note === 'poison') throw new Error('this event cannot be projected');
    const total = (row?.total ?? 0) + amount;
    return {
      id: event.stream.id,
      total,
      big: total * 1_000_000_000,
      notes: note === undefined ? (row?.notes ?? []) : [...(row?.notes ?? []), note],
      facts: { last: amount },
      at: event.recordedAt.toISOString(),
      version: event.version,
    };
  },
});

/** An event of a toy as the log returns it. */
export const toyEvent = (id: string, version: number, type: string, data: object = {}): RecordedEvent => ({
  position: BigInt(version),
  stream: { type: 'task', id },
  version,
  eventId: `${id}-${version}`,
  type,
  data,
  metadata: { actor: 'system:test', correlation_id: 'none' },
  recordedAt: new Date(0),
});

/** Creates the view, like a migration. */
export async function createToyTable(ownerPool: Pool): Promise<void> {
  await ownerPool.query(`create table read.toys (id uuid primary key, total int not null, big bigint not null,
    notes text[] not null, facts jsonb not null, at timestamptz not null, version int not null)`);
  await ownerPool.query('create index toys_total on read.toys (total, id)');
  await ownerPool.query(`grant select, insert, update, delete on read.toys to ${process.env['DB_USER']}`);
}

/** The event store with short methods for tests. It remembers versions, so it must be the only writer. */
export class ToyLog extends PostgresEventStore {
  private readonly versions = new Map<string, number>();

  constructor(database: Pick<TestDatabase, 'app' | 'appPool'>) {
    super({ postgres: database.app, pool: database.appPool, catalog: toyCatalog, log: silentLog });
  }

  /** @returns the position of the last event */
  async add(streamId: string, ...amounts: (number | JsonObject)[]): Promise<bigint> {
    const data = amounts.map((amount) => (typeof amount === 'number' ? { amount } : amount));
    return await this.record(streamId, 'ToyAdded', data);
  }

  /** Records any event, valid or not. @returns the position of the last event */
  async record(streamId: string, type: string, data: readonly JsonObject[], traceparent?: string): Promise<bigint> {
    const version = this.versions.get(streamId) ?? 0;
    this.versions.set(streamId, version + data.length);
    const events = data.map((each) => ({ eventId: newId(), type, schemaVersion: 1, data: each }));
    const metadata = { actor: 'system:test', correlation_id: streamId, ...(traceparent && { traceparent }) } as const;
    const write = { stream: { type: 'task', id: streamId }, expectedVersion: version, events } as const;
    return (await this.append([write], metadata)).lastPosition;
  }
}
