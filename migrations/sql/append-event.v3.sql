-- As append-event.v2.sql, without the hash (append.v3.sql).
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
  select coalesce(newest.position, 0) operator(pg_catalog.+) 1, stream_type, stream, version, id, event_type,
         schema_version, data, metadata,
         greatest(pg_catalog.date_trunc('milliseconds', pg_catalog.clock_timestamp()), newest.recorded_at)
  from (select) always
  left join (select e.position, e.recorded_at from es.events e order by e.position desc limit 1) newest on true
  on conflict do nothing
  returning pg_catalog.concat(
    position, ' ', (extract(epoch from recorded_at) operator(pg_catalog.*) 1000)::pg_catalog.int8
  )
  into recorded;
end $append_event$;
