import type { HistoryEvent } from './api-objects.js';

const PAGE_EVENTS = 1_000;

type FetchHistory = (
  afterVersion: number,
  limit: number,
) => Promise<{ readonly events: readonly HistoryEvent[]; readonly has_more: boolean }>;

/** All events of a history, oldest first. */
export async function* historyOf(fetchPage: FetchHistory, afterVersion = 0): AsyncGenerator<HistoryEvent, void> {
  for (let version = afterVersion, more = true; more;) {
    const { events, has_more } = await fetchPage(version, PAGE_EVENTS);
    yield* events;
    version = events.at(-1)?.version ?? version;
    more = has_more && events.length > 0;
  }
}
