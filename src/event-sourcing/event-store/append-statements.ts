import { BinaryArray, int2, int4, jsonb, text, uuid } from '../../platform/postgres/binary-array.js';
import type { CallValue, PreparedStatement, TextRow } from '../../platform/postgres/prepared-call.js';
import type { EncodedAppend, EncodedEvent, EncodedWrite } from './encoded-append.js';

export interface Refusal {
  readonly append: number;
  readonly repeated?: true;
  readonly stream_id: string;
  readonly version: number;
}

export interface AppendRow {
  /**
   * Null if nothing was recorded. In a quick call: a version does not hold or an event id is known. In a careful call:
   * an event id occurs in two appends of the batch.
   */
  readonly previous_position: bigint | null;
  /** Since 1970. */
  readonly recorded_ms: bigint | null;
  readonly refused: readonly Refusal[] | null;
}

/**
 * In es.append and es.append_event: acquires the lock of the log and holds it to the end of the transaction. It is an
 * advisory lock (PostgreSQL manual, 13.3.5) in the space of two-part keys, like the lock of the migrator. Released
 * migrations contain it: never change it.
 */
export const LOCK_LOG = 'pg_advisory_xact_lock(30322, 2)';

export const APPEND: PreparedStatement = {
  name: 'es_append',
  text: 'select previous_position, recorded_ms, refused from es.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
};

/** Not in FROM: Postgres would write its one row to a tuplestore and read it from there. */
export const APPEND_EVENT: PreparedStatement = {
  name: 'es_append_event',
  text: 'select es.append_event($1, $2, $3, $4, $5, $6, $7, $8, $9) as recorded',
};

/** A poll replaces a wake-up lost in a crash: no wait for the disk, which appends wait for as well. */
export const NOTIFY: PreparedStatement = {
  name: 'es_notify',
  text: `select set_config('synchronous_commit', 'off', true), pg_notify($1, $2)`,
};

export const RECALL = `
    select e.position,
           coalesce((e.stream_type, e.stream_id, e.type, e.data)
             = (given.stream_type, given.stream_id, given.type, given.data::jsonb), false) as same
    from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[])
           with ordinality as given(event_id, stream_type, stream_id, type, data, no)
    left join es.events e on e.event_id = given.event_id
    order by given.no`;

/**
 * The parameters of es.append: whether the call is careful, the writes to check, the events.
 * @param isCertain whether the stream is known to have reached the expected version, which then needs no check
 */
export function appendParameters(
  batch: readonly EncodedAppend[],
  careful: boolean,
  isCertain: (write: EncodedWrite) => boolean,
): CallValue[] {
  const writes: EncodedWrite[] = [];
  const writeAppends: number[] = [];
  const events: EncodedEvent[] = [];
  const eventAppends: number[] = [];
  for (const [append, encoded] of batch.entries()) {
    for (const write of encoded.writes) {
      if (isCertain(write)) continue;
      writes.push(write);
      writeAppends.push(append);
    }
    for (const event of encoded.events) {
      events.push(event);
      eventAppends.push(append);
    }
  }
  return [
    careful,
    new BinaryArray(int4, writeAppends),
    BinaryArray.of(uuid, writes, (write) => write.streamId),
    BinaryArray.of(int4, writes, (write) => write.expectedVersion),
    new BinaryArray(int4, eventAppends),
    BinaryArray.of(text, events, (event) => event.stream.type),
    BinaryArray.of(uuid, events, (event) => event.stream.id),
    BinaryArray.of(int4, events, (event) => event.version),
    BinaryArray.of(uuid, events, (event) => event.eventId),
    BinaryArray.of(text, events, (event) => event.type),
    BinaryArray.of(int2, events, (event) => event.schemaVersion),
    BinaryArray.of(jsonb, events, (event) => event.data),
    BinaryArray.of(jsonb, events, (event) => event.metadata),
  ];
}

/** The one row that es.append returns. */
export function appendRow([previousPosition, recordedMs, refused]: TextRow): AppendRow {
  return {
    previous_position: previousPosition ? BigInt(previousPosition) : null,
    recorded_ms: recordedMs ? BigInt(recordedMs) : null,
    refused: refused ? (JSON.parse(refused) as Refusal[]) : null,
  };
}

/** The parameters of RECALL: it is rare, so plain arrays will do. */
export const recallParameters = ({ events }: EncodedAppend): unknown[] => [
  events.map((event) => event.eventId),
  events.map((event) => event.stream.type),
  events.map((event) => event.stream.id),
  events.map((event) => event.type),
  events.map((event) => event.data),
];
