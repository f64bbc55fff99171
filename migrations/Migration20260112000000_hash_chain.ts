import { Migration } from '@mikro-orm/migrations';

import { LOCK_LOG } from '../src/event-sourcing/event-store/append-statements.js';
import { grantToApp } from '../src/platform/postgres/grants.js';
import {
  APPEND as APPEND_BEFORE,
  APPEND_EVENT as APPEND_EVENT_BEFORE,
  APPEND_EVENT_SIGNATURE,
  APPEND_SIGNATURE,
  GIVEN_EVENTS,
  PROPERTIES,
} from './Migration20260101000000_event_store.js';

/**
 * Each append's last event holds a hash over what was appended and over the hash before it, and an ordinary conflict is
 * an answer of the functions, not an error of theirs (docs/adr/0024-hash-chain.md).
 */
export class Migration20260112000000 extends Migration {
  override up(): void {
    this.addSql('alter table es.events add column chain bytea');
    this.addSql(`
      comment on column es.events.chain is
      'of the last event of an append: SHA-256 over the hash before it and all events since; null: a later event has it'`);
    this.chainWhatIsThere();
    this.replaceFunctions(APPEND, APPEND_EVENT);
  }

  override down(): void {
    this.replaceFunctions(APPEND_BEFORE, APPEND_EVENT_BEFORE);
    this.addSql('alter table es.events drop column chain');
  }

  private replaceFunctions(append: string, appendEvent: string): void {
    for (const [signature, definition] of [
      [APPEND_SIGNATURE, append],
      [APPEND_EVENT_SIGNATURE, appendEvent],
    ] as const) {
      this.addSql(`drop function ${signature}`);
      this.addSql(definition);
      this.addSql(`revoke all on function ${signature} from public`);
      this.addSql(grantToApp('execute', `function ${signature}`));
    }
  }

  /** Each event by itself. It vouches for nothing that was changed before this ran. */
  private chainWhatIsThere(): void {
    const hash = hashOf({
      ...{ before: 'link', position: 'e.position', recordedMs: recordedMs('e.recorded_at') },
      ...{ streams: 'e.stream_id', versions: 'e.version', ids: 'e.event_id', schemaVersions: 'e.schema_version' },
      ...{ streamTypes: 'e.stream_type', types: 'e.type', data: 'e.data', metadata: 'e.metadata' },
    });
    this.addSql('alter table es.events disable trigger append_only');
    this.addSql(`
      do $$
      declare
        e record;
        link bytea;
      begin
        for e in select * from es.events order by position loop
          link := ${hash};
          update es.events set chain = link where position = e.position;
        end loop;
      end $$`);
    this.addSql('alter table es.events enable always trigger append_only');
  }
}

/** SQL expressions of what an append is hashed with: of each column, the values of all its events. */
interface Columns {
  readonly before: string;
  readonly position: string;
  readonly recordedMs: string;
  readonly streams: string;
  readonly versions: string;
  readonly ids: string;
  readonly schemaVersions: string;
  readonly streamTypes: string;
  readonly types: string;
  readonly data: string;
  readonly metadata: string;
}

const recordedMs = (time: string): string =>
  `(extract(epoch from ${time}) operator(pg_catalog.*) 1000)::pg_catalog.int8`;

/**
 * The hash of an append; src/operations/audit/check-chain.ts computes the same. Column by column, since to take the arrays of a batch
 * apart a second time, or to carry a text beside each row through a window, made it half as slow again.
 * A line each: the hash before, the first position, the time; streams, versions, ids and schema versions, with commas.
 * Then, an event a line, the types of streams, the types, the data, the metadata. JSON as Postgres prints it has no line
 * breaks, and neither have types (whoever checks the chain checks that): so no two appends have one text.
 * By full names: es.append_event has no search_path of its own.
 */
const hashOf = (append: Columns): string =>
  `pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(${[
    String.raw`E'\n'`,
    `coalesce(pg_catalog.encode(${append.before}, 'hex'), '')`,
    ...[append.position, append.recordedMs, append.streams, append.versions, append.ids, append.schemaVersions],
    ...[append.streamTypes, append.types, append.data, append.metadata],
  ].join(', ')}), 'UTF8'))`;

/** Of the arrays that es.append is called with. */
const HASH_OF_ALL = hashOf({
  ...{ before: 'previous_chain', position: 'previous_position + 1', recordedMs: 'recorded_ms' },
  streams: "array_to_string(append.event_stream, ',')",
  versions: "array_to_string(append.event_version, ',')",
  ids: "array_to_string(append.event_id, ',')",
  schemaVersions: "array_to_string(append.event_schema_version, ',')",
  streamTypes: String.raw`array_to_string(append.event_stream_type, E'\n')`,
  types: String.raw`array_to_string(append.event_type, E'\n')`,
  data: String.raw`array_to_string(append.event_data, E'\n')`,
  metadata: String.raw`array_to_string(append.event_metadata, E'\n')`,
});

/** Of those that were not refused: null where all were. */
const HASH_OF_REST = `
      select ${hashOf({
        ...{ before: 'previous_chain', position: 'previous_position + 1', recordedMs: 'recorded_ms' },
        streams: "string_agg(e.stream::text, ',' order by e.no)",
        versions: "string_agg(e.version::text, ',' order by e.no)",
        ids: "string_agg(e.id::text, ',' order by e.no)",
        schemaVersions: "string_agg(e.schema_version::text, ',' order by e.no)",
        streamTypes: String.raw`string_agg(e.stream_type, E'\n' order by e.no)`,
        types: String.raw`string_agg(e.type, E'\n' order by e.no)`,
        data: String.raw`string_agg(e.data::text, E'\n' order by e.no)`,
        metadata: String.raw`string_agg(e.metadata::text, E'\n' order by e.no)`,
      })}, max(e.no)
      into link, last_no
      from ${GIVEN_EVENTS}
      where e.append <> all(refused_appends)`;

const insertEvents = (position: string): string => `
      insert into es.events
      select ${position}, e.stream_type, e.stream, e.version, e.id, e.type, e.schema_version, e.data, e.metadata,
             recorded_time, case when e.no = last_no then link end
      from ${GIVEN_EVENTS}`;

/**
 * As before (Migration20260101000000), and:
 * - A unique violation, where it was not looked closely, is caught: nothing was recorded, and previous_position is null,
 *   as for a version that does not hold. Raised, it would be an ERROR in the server's log, for what is everyday
 *   business. With care it can only be an event id that stands in two appends of one batch: null as well, and each has
 *   to come by itself.
 * - The last event holds the hash.
 */
const APPEND = `
create function es.append(
  careful boolean, write_append int[], write_stream uuid[], write_expected int[],
  event_append int[], event_stream_type text[], event_stream uuid[], event_version int[], event_id uuid[],
  event_type text[], event_schema_version smallint[], event_data jsonb[], event_metadata jsonb[],
  out previous_position bigint, out recorded_ms bigint, out refused jsonb
)
${PROPERTIES}
set search_path = pg_catalog, pg_temp
as $append$
#variable_conflict use_column
declare
  recorded_time timestamptz(3);
  previous_chain bytea;
  link bytea;
  last_no int;
  repeated int[];
  refused_appends int[];
begin
  perform ${LOCK_LOG};
  select position, recorded_at, chain into previous_position, recorded_time, previous_chain
  from es.events order by position desc limit 1;
  previous_position := coalesce(previous_position, 0);
  recorded_time := greatest(date_trunc('milliseconds', clock_timestamp()), recorded_time);

  if not careful and cardinality(append.write_stream) > 0 then
    if exists (
      select from (select unnest(append.write_stream) as stream, unnest(append.write_expected) as expected) given
      where (select max(e.version) from es.events e where e.stream_id = given.stream) is distinct from given.expected
    ) then
      previous_position := null;
      return;
    end if;
  end if;

  if careful then
    select array_agg(distinct known.append) into repeated
    from unnest(append.event_append, append.event_id) as known(append, id)
    where (select e.position from es.events e where e.event_id = known.id) is not null;

    select jsonb_agg(jsonb_build_object('append', write.append, 'stream_id', write.stream, 'version', write.actual)),
           array_agg(write.append)
    into refused, refused_appends
    from (
      select given.append, given.stream, given.expected,
             coalesce((select max(e.version) from es.events e where e.stream_id = given.stream), 0) as actual
      from unnest(append.write_append, append.write_stream, append.write_expected) as given(append, stream, expected)
    ) write
    where write.actual <> write.expected and (repeated is null or write.append <> all(repeated));

    if repeated is not null then
      refused := coalesce(refused, '[]'::jsonb)
        || (select jsonb_agg(jsonb_build_object('append', number, 'repeated', true)) from unnest(repeated) as number);
      refused_appends := refused_appends || repeated;
    end if;
  end if;

  recorded_ms := extract(epoch from recorded_time) * 1000;
  begin
    if refused_appends is null then
      link := ${HASH_OF_ALL};
      last_no := cardinality(append.event_id);
      ${insertEvents('previous_position + e.no')};
    else
      ${HASH_OF_REST};
      ${insertEvents('previous_position + row_number() over (order by e.no)')}
      where e.append <> all(refused_appends);
    end if;
  exception when unique_violation then
    previous_position := null;
    recorded_ms := null;
    refused := null;
  end;
end $append$`;

/**
 * As before (Migration20260101000000), and: a unique violation is an answer, null, as where the version does not hold;
 * the event holds the hash. ON CONFLICT, which looks at each index before it inserts, costs less than a subtransaction.
 */
const APPEND_EVENT = `
create function es.append_event(
  certain boolean, stream_type text, stream uuid, version int, id uuid, event_type text, schema_version smallint,
  data jsonb, metadata jsonb, out recorded text
)
${PROPERTIES}
as $append_event$
#variable_conflict use_variable
begin
  perform pg_catalog.${LOCK_LOG};
  -- In a condition of its own: plpgsql judges one without a query by itself, twenty times faster.
  if not certain then
    if (
      select pg_catalog.max(e.version) from es.events e where e.stream_id operator(pg_catalog.=) stream
    ) operator(pg_catalog.=) (version operator(pg_catalog.-) 1) is not true then
      return;
    end if;
  end if;
  insert into es.events
  select n.position, stream_type, stream, version, id, event_type, schema_version, data, metadata, n.recorded_at,
         ${hashOf({
           ...{ before: 'n.chain', position: 'n.position', recordedMs: recordedMs('n.recorded_at') },
           ...{ streams: 'stream', versions: 'version', ids: 'id', schemaVersions: 'schema_version' },
           ...{ streamTypes: 'stream_type', types: 'event_type', data: 'data', metadata: 'metadata' },
         })}
  from (
    select coalesce(newest.position, 0) operator(pg_catalog.+) 1 as position, newest.chain,
           greatest(
             pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp()), newest.recorded_at
           )::pg_catalog.timestamptz(3) as recorded_at
    from (select) always
    left join (select e.position, e.recorded_at, e.chain from es.events e order by e.position desc limit 1) newest on true
    -- Computed once: flattened, each use of a column would compute it anew, the clock too.
    offset 0
  ) n
  on conflict do nothing
  returning pg_catalog.concat(position, ' ', ${recordedMs('recorded_at')})
  into recorded;
end $append_event$`;
