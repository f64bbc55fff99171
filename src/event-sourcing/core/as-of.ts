import { DomainError } from '../../kernel/errors.js';
import type { RecordedEvent } from './event.js';

/** A point in the history of a stream: after one of its versions, or at a time. */
export type AsOf = { readonly version: number } | { readonly time: Date };

/**
 * Yields the events up to that point.
 * @param portions the stream from its beginning; they are read only as far as needed
 * @throws DomainError `version_not_reached`, which names the newest version
 */
export async function* portionsAsOf<Event extends RecordedEvent>(
  portions: AsyncIterable<readonly Event[]>,
  asOf: AsOf,
): AsyncGenerator<readonly Event[]> {
  const hadHappened = ({ version, recordedAt }: Event): boolean =>
    'version' in asOf ? version <= asOf.version : recordedAt <= asOf.time;
  let newest = 0;
  for await (const portion of portions) {
    const past = portion.filter(hadHappened);
    yield past;
    if (past.length < portion.length) return;
    newest = portion.at(-1)?.version ?? newest;
  }
  if ('version' in asOf && asOf.version > newest) throw versionNotReached(asOf.version, newest);
}

function versionNotReached(version: number, newest: number): DomainError {
  const message = `Version ${version} does not exist: the newest version is ${newest}`;
  return new DomainError('version_not_reached', message, 'not_found', { newest_version: newest });
}
