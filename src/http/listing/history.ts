import { z } from 'zod';

import { type HistoryEntry, historyEntryOf } from '../../event-sourcing/core/history-entry.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { wholeNumber } from './list-query.js';

/** Events in one answer: a task that is run for years has a long history. */
const EVENTS_MAX = 1_000;

/** `?after_version=` of the last event seen, and how many. */
export const historyQuery = z.strictObject({
  after_version: wholeNumber(0, 999_999_999).default(0).describe('Of the last event seen'),
  limit: wholeNumber(1, EVENTS_MAX).default(EVENTS_MAX).describe('How many events'),
});
export type HistoryQuery = z.output<typeof historyQuery>;

export const historyView = z
  .object({
    events: z.array(
      z.object({
        type: z.string(),
        version: z.int32().positive(),
        position: z.int().positive(),
        time: z.iso.datetime(),
        actor: z.string(),
        data: z.record(z.string(), z.json()),
      }),
    ),
    has_more: z.boolean(),
  })
  .meta({ id: 'History' });

/** Of one answer, as JSON: an event has up to 64 KiB. At least one event is in it. */
export const HISTORY_BYTES_MAX = 2 * 1024 ** 2;
/** Read at a time, since no more than those that have room are shown. */
export const HISTORY_PORTION_EVENTS = 50;

/**
 * @param portions of a stream, oldest first, with one event more than were asked for where there are more
 * @param grow is told of the bytes of each event, and may hold up the next
 */
export async function historyPage(
  portions: AsyncIterable<readonly RecordedEvent[]>,
  { limit }: Pick<HistoryQuery, 'limit'>,
  grow: (bytes: number) => Promise<void> = async () => undefined,
) {
  const entries: HistoryEntry[] = [];
  let bytes = 0;
  for await (const portion of portions) {
    for (const entry of portion.map(historyEntryOf)) {
      const size = Buffer.byteLength(JSON.stringify(entry));
      bytes += size;
      const isFull = entries.length === limit || (entries.length > 0 && bytes > HISTORY_BYTES_MAX);
      if (isFull) return { events: entries, has_more: true };
      entries.push(entry);
      await grow(size);
    }
  }
  return { events: entries, has_more: false };
}
