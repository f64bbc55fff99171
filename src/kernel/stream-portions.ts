import type { RecordedEvent, StreamRef } from './event.js';
import type { EventStore } from './ports/event-store.js';

/** In memory at a time: an event has up to 64 KiB, and a task that is run for years has many. */
const PORTION_EVENTS = 200;

/** A stream from its beginning, oldest first, in one read where it is short. @param limit of events; undefined: all */
export async function* portionsOf(
  store: Pick<EventStore, 'readStream'>,
  stream: StreamRef,
  limit = Number.POSITIVE_INFINITY,
  portionEvents = PORTION_EVENTS,
): AsyncGenerator<readonly RecordedEvent[]> {
  for (let afterVersion = 0; afterVersion < limit;) {
    const wanted = Math.min(portionEvents, limit - afterVersion);
    const portion = await store.readStream(stream, { afterVersion, limit: wanted });
    if (portion.length > 0) yield portion;
    if (portion.length < wanted) return;
    afterVersion += portion.length;
  }
}
