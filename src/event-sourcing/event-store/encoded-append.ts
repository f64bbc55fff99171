import { DomainError } from '../../kernel/errors.js';
import { isStorableJson, isStorableText } from '../../kernel/json.js';
import { APPEND_EVENTS_MAX, EVENT_BYTES_MAX, type StreamWrite } from '../core/event-store.js';
import { type EventMetadata, type NewEvent, streamName, type StreamRef } from '../core/event.js';
import type { StoredEvent } from '../core/stored-event.js';

/** Bytes of one event's metadata as JSON (UTF-8). It is stored with every event and consists of ids. */
export const METADATA_BYTES_MAX = 4 * 1024;

const VERSION_MAX = 2 ** 31 - 1;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export interface EncodedWrite {
  readonly streamId: string;
  readonly expectedVersion: number;
}

/** A new event as it will be stored: the commit gives it its position and time. */
export type EncodedEvent = Omit<StoredEvent, 'position' | 'recordedAt'>;

/** A checked append: nothing in it can fail the batch that it joins. */
export interface EncodedAppend {
  readonly writes: readonly EncodedWrite[];
  readonly events: readonly EncodedEvent[];
  readonly bytes: number;
}

const invalid = (code: string, message: string): DomainError => new DomainError(code, message, 'invalid');

/**
 * Checks an append and turns it into text before it joins a batch, so that invalid data fails only its own caller.
 * @throws DomainError `event_too_large`, `event_not_storable`
 */
export function encodeAppend(writes: readonly StreamWrite[], metadata: EventMetadata): EncodedAppend {
  const metadataText = encodeJson(metadata, METADATA_BYTES_MAX, 'metadata');
  const encodedWrites: EncodedWrite[] = [];
  const events: EncodedEvent[] = [];
  for (const write of writes) {
    const { expectedVersion } = write;
    const stream = { type: write.stream.type, id: canonicalUuid(write.stream.id) };
    encodedWrites.push({ streamId: stream.id, expectedVersion });
    let version = expectedVersion;
    for (const event of write.events) events.push(encodeEvent(event, stream, (version += 1), metadataText));
  }
  checkShape(writes, encodedWrites, events);
  let bytes = 0;
  for (const { data } of events) bytes += data.length + metadataText.length;
  return { writes: encodedWrites, events, bytes };
}

function encodeEvent(
  { eventId, type, schemaVersion, data }: NewEvent,
  stream: StreamRef,
  version: number,
  metadata: string,
): EncodedEvent {
  if (!isStorableText(type)) throw invalid('event_not_storable', 'an event type contains NUL or a lone surrogate');
  const text = encodeJson(data, EVENT_BYTES_MAX, type);
  return { stream, version, eventId: canonicalUuid(eventId), type, schemaVersion, data: text, metadata };
}

/** A fault here is a bug of the caller, not of the client that sent the request. */
function checkShape(writes: readonly StreamWrite[], encoded: readonly EncodedWrite[], events: readonly EncodedEvent[]) {
  if (events.length === 0) throw new Error('nothing to append');
  if (events.length > APPEND_EVENTS_MAX) throw new Error(`more than ${APPEND_EVENTS_MAX} events in one append`);
  for (const { stream, expectedVersion, events: added } of writes) {
    if (added.length === 0) throw new Error(`nothing to append to ${streamName(stream)}`);
    if (!Number.isInteger(expectedVersion) || expectedVersion < 0 || expectedVersion + added.length > VERSION_MAX) {
      throw new Error(`${expectedVersion} is not a version`);
    }
  }
  if (hasTwice(encoded, ({ streamId }) => streamId)) throw new Error('a stream is written twice in one append');
  if (hasTwice(events, ({ eventId }) => eventId)) throw new Error('an event id occurs twice in one append');
}

const hasTwice = <Item>(items: readonly Item[], idOf: (item: Item) => string): boolean =>
  items.length > 1 && new Set(items.map(idOf)).size < items.length;

function encodeJson(value: unknown, bytesMax: number, what: string): string {
  const text = stringify(value, what);
  // UTF-8 takes one to three bytes for each UTF-16 unit: most texts need no counting.
  const mayBeTooLarge = text.length * 3 > bytesMax;
  if (mayBeTooLarge && Buffer.byteLength(text) > bytesMax) {
    throw invalid('event_too_large', `the data of ${what} is larger than ${bytesMax} bytes`);
  }
  return text;
}

function stringify(value: unknown, what: string): string {
  try {
    // Without this escape the text has no NUL and no lone surrogate, and the value need not be walked.
    const text = JSON.stringify(value);
    if (!text.includes('\\u') || isStorableJson(value)) return text;
  } catch (error) {
    // Nested deeper than the stack allows: Postgres would refuse it as well.
    if (!(error instanceof RangeError)) throw error;
  }
  throw invalid('event_not_storable', `the data of ${what} contains NUL or a lone surrogate, or is nested too deeply`);
}

/** In lower case, as Postgres prints it: otherwise two spellings of one id would be two streams of a batch. */
export function canonicalUuid(id: string): string {
  if (UUID.test(id)) return id;
  const lower = id.toLowerCase();
  if (!UUID.test(lower)) throw new Error(`${JSON.stringify(id)} is not a UUID`);
  return lower;
}
