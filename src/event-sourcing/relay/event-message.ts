import { headers, type MsgHdrs } from 'nats';

import type { EventMetadata, StreamRef, StreamType } from '../core/event.js';
import type { RawEvent } from '../event-store/raw-event.js';

/** Headers of the relay's messages: a consumer can drop a message without parsing its body. */
export const EventHeader = {
  position: 'voidrunner-position',
  epoch: 'voidrunner-epoch',
  version: 'voidrunner-version',
  stream: 'voidrunner-stream',
  traceparent: 'traceparent',
} as const;

/** An event on its way to a subscription, over JetStream or from Postgres: parsed, not yet upcast. */
export interface ReceivedEvent {
  readonly position: bigint;
  readonly stream: StreamRef;
  readonly version: number;
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: unknown;
  readonly metadata: EventMetadata;
  readonly recordedAt: Date;
  /** The relay's span if the event came over JetStream, else the span that appended it. */
  readonly traceparent: string | undefined;
}

/** `VOIDRUNNER` → subjects of `voidrunner.…`, streams `VOIDRUNNER_…`. */
export const subjectPrefix = (prefix: string): string => prefix.toLowerCase();

export const eventSubject = (prefix: string, event: Pick<RawEvent, 'stream' | 'type'>): string =>
  `${subjectPrefix(prefix)}.events.${event.stream.type}.${event.type}.${event.stream.id}`;

export function eventHeaders(event: RawEvent, epoch: number, traceparent: string | undefined): MsgHdrs {
  const result = headers();
  result.set(EventHeader.position, event.position.toString());
  result.set(EventHeader.epoch, epoch.toString());
  result.set(EventHeader.version, event.version.toString());
  result.set(EventHeader.stream, `${event.stream.type}-${event.stream.id}`);
  if (traceparent) result.set(EventHeader.traceparent, traceparent);
  return result;
}

/** The stored JSON goes into the body unchanged: parsing and printing 64 KiB of it again would gain nothing. */
export const eventBody = (event: RawEvent): string =>
  `{"position":"${event.position}","stream_type":"${event.stream.type}","stream_id":"${event.stream.id}",` +
  `"version":${event.version},"event_id":"${event.eventId}","type":${JSON.stringify(event.type)},` +
  `"schema_version":${event.schemaVersion},"data":${event.data},"metadata":${event.metadata},` +
  `"recorded_at":"${event.recordedAt}"}`;

interface EventBody {
  position: string;
  stream_type: StreamType;
  stream_id: string;
  version: number;
  event_id: string;
  type: string;
  schema_version: number;
  data: unknown;
  metadata: EventMetadata;
  recorded_at: string;
}

export function receivedFromMessage(body: string, traceparent: string | undefined): ReceivedEvent {
  const event = JSON.parse(body) as EventBody;
  return {
    position: BigInt(event.position),
    stream: { type: event.stream_type, id: event.stream_id },
    version: event.version,
    eventId: event.event_id,
    type: event.type,
    schemaVersion: event.schema_version,
    data: event.data,
    metadata: event.metadata,
    recordedAt: new Date(event.recorded_at),
    traceparent: traceparent || event.metadata.traceparent,
  };
}

export function receivedFromStore(event: RawEvent): ReceivedEvent {
  const metadata = JSON.parse(event.metadata) as EventMetadata;
  return {
    position: event.position,
    stream: event.stream,
    version: event.version,
    eventId: event.eventId,
    type: event.type,
    schemaVersion: event.schemaVersion,
    data: JSON.parse(event.data) as unknown,
    metadata,
    recordedAt: new Date(event.recordedAt),
    traceparent: metadata.traceparent,
  };
}
