import { binaryArray, type ElementType, int2, int4, jsonb, text, uuid } from '../postgres/binary-array.js';
import type { EncodedAppend } from './encoded-append.js';

export interface Refusal {
  readonly append: number;
  readonly repeated?: true;
  readonly stream_id: string;
  readonly version: number;
}

export interface AppendRow {
  readonly previous_position: bigint;
  readonly refused: readonly Refusal[] | null;
}

export const APPEND = {
  name: 'es_append',
  text: 'select previous_position, refused from es.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)',
};

/** Not in FROM: there its one row is kept in a tuplestore and read from it. */
export const APPEND_EVENT = {
  name: 'es_append_event',
  text: 'select es.append_event($1, $2, $3, $4, $5, $6, $7, $8) as new_position',
};

export const RECALL = `
    select e.position,
           coalesce((e.stream_type, e.stream_id, e.type, e.data)
             = (given.stream_type, given.stream_id, given.type, given.data::jsonb), false) as same
    from unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[])
           with ordinality as given(event_id, stream_type, stream_id, type, data, no)
    left join es.events e on e.event_id = given.event_id
    order by given.no`;

/** The parameters of es.append: whether with care, the writes, the events. */
export function appendParameters(batch: readonly EncodedAppend[], careful: boolean): unknown[] {
  const writes = batch.flatMap((append, number) => append.writes.map((write) => ({ number, ...write })));
  const events = batch.flatMap((append, number) => append.events.map((event) => ({ number, ...event })));
  const ofWrites = columnsOf(writes);
  const ofEvents = columnsOf(events);
  return [
    careful,
    ofWrites(int4, (write) => write.number),
    ofWrites(uuid, (write) => write.streamId),
    ofWrites(int4, (write) => write.expectedVersion),
    ofEvents(int4, (event) => event.number),
    ofEvents(text, (event) => event.stream.type),
    ofEvents(uuid, (event) => event.stream.id),
    ofEvents(int4, (event) => event.version),
    ofEvents(uuid, (event) => event.eventId),
    ofEvents(text, (event) => event.type),
    ofEvents(int2, (event) => event.schemaVersion),
    ofEvents(jsonb, (event) => event.data),
    ofEvents(jsonb, (event) => event.metadata),
  ];
}

const columnsOf =
  <Row>(rows: readonly Row[]) =>
  <Value>(type: ElementType<Value>, pick: (row: Row) => Value): Buffer =>
    binaryArray(type, rows.map(pick));

/** The parameters of the look at what was recorded before: rare, so plain arrays will do. */
export const recallParameters = ({ events }: EncodedAppend): unknown[] => [
  events.map((event) => event.eventId),
  events.map((event) => event.stream.type),
  events.map((event) => event.stream.id),
  events.map((event) => event.type),
  events.map((event) => event.data),
];
