-- As append.v2.sql, without the hash: the sealed log covers the events (docs/adr/0064-sealed-log.md).
create function es.append(
  careful boolean, write_append int[], write_stream uuid[], write_expected int[],
  event_append int[], event_stream_type text[], event_stream uuid[], event_version int[], event_id uuid[],
  event_type text[], event_schema_version smallint[], event_data jsonb[], event_metadata jsonb[],
  out previous_position bigint, out recorded_ms bigint, out refused jsonb
)
language plpgsql volatile security definer
set search_path = pg_catalog, pg_temp
as $append$
#variable_conflict use_column
declare
  recorded_time timestamptz(3);
  repeated int[];
  refused_appends int[];
begin
  perform pg_advisory_xact_lock(30322, 2);
  select position, recorded_at into previous_position, recorded_time
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
      insert into es.events
      select previous_position + e.no, e.stream_type, e.stream, e.version, e.id, e.type, e.schema_version,
             e.data, e.metadata, recorded_time
      from (
        select generate_series(1, cardinality(append.event_id)) as no,
               unnest(append.event_append) as append, unnest(append.event_stream_type) as stream_type,
               unnest(append.event_stream) as stream, unnest(append.event_version) as version,
               unnest(append.event_id) as id, unnest(append.event_type) as type,
               unnest(append.event_schema_version) as schema_version, unnest(append.event_data) as data,
               unnest(append.event_metadata) as metadata
      ) e;
    else
      insert into es.events
      select previous_position + row_number() over (order by e.no), e.stream_type, e.stream, e.version, e.id, e.type,
             e.schema_version, e.data, e.metadata, recorded_time
      from (
        select generate_series(1, cardinality(append.event_id)) as no,
               unnest(append.event_append) as append, unnest(append.event_stream_type) as stream_type,
               unnest(append.event_stream) as stream, unnest(append.event_version) as version,
               unnest(append.event_id) as id, unnest(append.event_type) as type,
               unnest(append.event_schema_version) as schema_version, unnest(append.event_data) as data,
               unnest(append.event_metadata) as metadata
      ) e
      where e.append <> all(refused_appends);
    end if;
  exception when unique_violation then
    previous_position := null;
    recorded_ms := null;
    refused := null;
  end;
end $append$;
