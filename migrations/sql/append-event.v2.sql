-- As append-event.v1.sql, and: a unique violation returns null, as a version that does not hold does; the event holds
-- the hash (append.v2.sql). ON CONFLICT, which checks each index before it inserts, costs less than a subtransaction.
create function es.append_event(
  certain boolean, stream_type text, stream uuid, version int, id uuid, event_type text, schema_version smallint,
  data jsonb, metadata jsonb, out recorded text
)
language plpgsql volatile security definer
as $append_event$
#variable_conflict use_variable
begin
  perform pg_catalog.pg_advisory_xact_lock(30322, 2);
  -- A condition of its own: plpgsql evaluates one without a query itself, twenty times faster.
  if not certain then
    if (
      select pg_catalog.max(e.version) from es.events e where e.stream_id operator(pg_catalog.=) stream
    ) operator(pg_catalog.=) (version operator(pg_catalog.-) 1) is not true then
      return;
    end if;
  end if;
  insert into es.events
  select n.position, stream_type, stream, version, id, event_type, schema_version, data, metadata, n.recorded_at,
         pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(
           E'\n', coalesce(pg_catalog.encode(n.chain, 'hex'), ''), n.position,
           (extract(epoch from n.recorded_at) operator(pg_catalog.*) 1000)::pg_catalog.int8, stream, version,
           id, schema_version, stream_type, event_type, data, metadata
         ), 'UTF8'))
  from (
    select coalesce(newest.position, 0) operator(pg_catalog.+) 1 as position, newest.chain,
           greatest(
             pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp()), newest.recorded_at
           )::pg_catalog.timestamptz(3) as recorded_at
    from (select) always
    left join (select e.position, e.recorded_at, e.chain from es.events e order by e.position desc limit 1) newest
      on true
    -- Computed once: flattened, each use of a column would compute it again, the clock included.
    offset 0
  ) n
  on conflict do nothing
  returning pg_catalog.concat(
    position, ' ', (extract(epoch from recorded_at) operator(pg_catalog.*) 1000)::pg_catalog.int8
  )
  into recorded;
end $append_event$;
