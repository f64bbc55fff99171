import { DomainError } from './errors.js';
import type { RecordedEvent } from './event.js';

/** A moment in the life of a stream: after one of its events, or at a time. */
export type AsOf = { readonly version: number } | { readonly time: Date };

/**
 * Of a whole stream, what had happened by then.
 * @throws DomainError `version_not_reached`, which names the newest one
 */
export function eventsAsOf<Event extends RecordedEvent>(events: readonly Event[], asOf: AsOf): readonly Event[] {
  if ('version' in asOf) {
    if (asOf.version > events.length) throw versionNotReached(asOf.version, events.length);
    return events.slice(0, asOf.version);
  }
  return events.filter(({ recordedAt }) => recordedAt <= asOf.time);
}

function versionNotReached(version: number, newest: number): DomainError {
  const message = `Version ${version} does not exist: the newest version is ${newest}`;
  return new DomainError('version_not_reached', message, 'not_found', { newest_version: newest });
}
