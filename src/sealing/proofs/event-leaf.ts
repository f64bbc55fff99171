import { streamName } from '../../event-sourcing/core/event.js';
import type { StoredEvent } from '../../event-sourcing/core/stored-event.js';

/**
 * An event as a leaf of the sealed log: one line of JSON with everything that is stored of it. Data and metadata are
 * the text that Postgres prints for `jsonb`, which is one text per value: members in the order of their length, then
 * bytes. So a leaf is what is stored, byte for byte, and an export has leaves as its lines.
 */
export const eventLeaf = (event: StoredEvent): string =>
  `{"position":${event.position},"stream":${JSON.stringify(streamName(event.stream))},"version":${event.version},` +
  `"id":"${event.eventId}","type":${JSON.stringify(event.type)},"schema_version":${event.schemaVersion},` +
  `"time":"${event.recordedAt}","data":${event.data},"metadata":${event.metadata}}`;

/** The hashes of leaves, computed by Postgres, where they cost half as much as reading the events. */
export const LEAF_HASHES = `
  select string_agg(
    sha256('\\x00'::bytea || convert_to(concat(
      '{"position":', position, ',"stream":', to_json(concat(stream_type, '-', stream_id)), ',"version":', version,
      ',"id":"', event_id, '","type":', to_json(type), ',"schema_version":', schema_version,
      ',"time":"', to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
      '","data":', data, ',"metadata":', metadata, '}'
    ), 'UTF8')), ''::bytea order by position
  ) as hashes, count(*)::int as events, max(position)::text as last
  from (select * from es.events where position > $1 order by position limit $2) e`;
