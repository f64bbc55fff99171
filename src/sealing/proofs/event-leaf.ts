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
