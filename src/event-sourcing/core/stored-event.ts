import type { EventCatalog } from './event-catalog.js';
import type { EventMetadata, RecordedEvent, StreamRef } from './event.js';

/**
 * An event as it is stored: not upcast.
 * @typeParam Json string for JSON text, as Postgres prints the jsonb or as it was written; unknown where the message
 * that carried the event was parsed as a whole
 */
export interface StoredEvent<Json = string> {
  readonly position: bigint;
  readonly stream: StreamRef;
  readonly version: number;
  readonly eventId: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: Json;
  readonly metadata: Json;
  /** ISO 8601 in UTC, with milliseconds. */
  readonly recordedAt: string;
}

/**
 * An event that this process cannot read: its type, its schema version or its data. The rest of the log stays
 * readable.
 */
export class PoisonEvent extends Error {
  constructor(
    readonly event: StoredEvent,
    cause: unknown,
  ) {
    super(`event ${event.type} v${event.schemaVersion} at position ${event.position} cannot be read`, { cause });
    this.name = 'PoisonEvent';
  }
}

/**
 * Parses an event and upcasts it to its newest schema version.
 * @throws PoisonEvent for this one event; a caller that reads many decides what that means for the others
 */
export function upcastEvent(catalog: EventCatalog, event: StoredEvent): RecordedEvent {
  try {
    const { type, data } = catalog.upcast(event.type, JSON.parse(event.data), event.schemaVersion);
    return {
      position: event.position,
      stream: event.stream,
      version: event.version,
      eventId: event.eventId,
      type,
      data,
      metadata: JSON.parse(event.metadata) as EventMetadata,
      recordedAt: new Date(event.recordedAt),
    };
  } catch (error) {
    throw new PoisonEvent(event, error);
  }
}
