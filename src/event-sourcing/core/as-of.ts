import { DomainError } from '../../kernel/errors.js';
import type { RecordedEvent } from './event.js';

/** A moment in the life of a stream: after one of its events, or at a time. */
export type AsOf = { readonly version: number } | { readonly time: Date };

/**
 * What had happened by then.
 * @param portions of a stream, from its beginning; read no further than needed
 * @throws DomainError `version_not_reached`, which names the newest one
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
