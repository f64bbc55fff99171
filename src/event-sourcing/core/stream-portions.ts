import type { RecordedEvent, StreamRef } from './event.js';
import type { EventStore } from './event-store.js';

/** In memory at a time: an event has up to 64 KiB, and a task that is run for years has many. */
const PORTION_EVENTS = 200;

export interface PortionsOptions {
  readonly afterVersion?: number;
  /** Events in all; undefined: all there are. */
  readonly limit?: number | undefined;
  readonly portionEvents?: number;
}

/** A stream, oldest first, in one read where it is short. */
export async function* portionsOf(
  store: Pick<EventStore, 'readStream'>,
  stream: StreamRef,
  { afterVersion = 0, limit = Number.POSITIVE_INFINITY, portionEvents = PORTION_EVENTS }: PortionsOptions = {},
): AsyncGenerator<readonly RecordedEvent[]> {
  for (let read = 0; read < limit;) {
    const wanted = Math.min(portionEvents, limit - read);
    const portion = await store.readStream(stream, { afterVersion: afterVersion + read, limit: wanted });
    if (portion.length > 0) yield portion;
    if (portion.length < wanted) return;
    read += portion.length;
  }
}
