import type { EventStore } from './event-store.js';
import type { RecordedEvent, StreamRef } from './event.js';

/** Events in memory at a time: an event has up to 64 KiB, and a task that is run for years has many. */
const PORTION_EVENTS = 200;

export interface PortionsOptions {
  readonly afterVersion?: number;
  /** Events in total; undefined: no limit. */
  readonly limit?: number | undefined;
  readonly portionEvents?: number;
}

/** Reads a stream in portions, oldest first; a short stream takes one read. */
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
