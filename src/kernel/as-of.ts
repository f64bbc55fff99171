import type { RecordedEvent } from './event.js';

/** A moment in the life of a stream: after one of its events, or at a time. */
export type AsOf = { readonly version: number } | { readonly time: Date };

/** Of a whole stream, what had happened by then; nothing for a version that it has not reached. */
export function eventsAsOf<Event extends RecordedEvent>(events: readonly Event[], asOf: AsOf): readonly Event[] {
  if ('version' in asOf) return asOf.version > events.length ? [] : events.slice(0, asOf.version);
  return events.filter(({ recordedAt }) => recordedAt <= asOf.time);
}
