-- Chains the events that were recorded before there was a hash, each by itself. It proves nothing about changes that
-- were made before it ran.
do $$
declare
  e record;
  link bytea;
begin
  for e in select * from es.events order by position loop
    link := pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat_ws(
      E'\n', coalesce(pg_catalog.encode(link, 'hex'), ''), e.position,
      (extract(epoch from e.recorded_at) operator(pg_catalog.*) 1000)::pg_catalog.int8, e.stream_id, e.version,
      e.event_id, e.schema_version, e.stream_type, e.type, e.data, e.metadata
    ), 'UTF8'));
    update es.events set chain = link where position = e.position;
  end loop;
end $$;
