import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { type HistoryEntry, historyEntryOf } from '../../event-sourcing/core/history-entry.js';
import { unsizedResponse } from '../large-response.js';
import type { LargeResponses } from '../user-concurrency.js';
import { wholeNumber } from './list-query.js';

/** Events in one response: a task that is executed for years has a long history. */
const EVENTS_MAX = 1_000;

/** `?after_version=`: the version of the last event seen; `?limit=`: the number of events. */
export const historyQuery = z.strictObject({
  after_version: wholeNumber(0, 999_999_999).default(0).describe('Version of the last event seen'),
  limit: wholeNumber(1, EVENTS_MAX).default(EVENTS_MAX).describe('Maximum number of events'),
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

/** Of one response, as JSON: an event has up to 64 KiB. A response has at least one event. */
export const HISTORY_BYTES_MAX = 2 * 1024 ** 2;
/** Events read at a time: events that do not fit the response need not be read. */
export const HISTORY_PORTION_EVENTS = 50;

/** A page of history as a response: a large one waits for a slot of its user. @param portions as historyPage takes them */
export const historyResponse = (
  slots: LargeResponses,
  portions: AsyncIterable<readonly RecordedEvent[]>,
  query: Pick<HistoryQuery, 'limit'>,
  to: { readonly userId: string; readonly reply: FastifyReply },
) => unsizedResponse(slots, { ...to, read: (grow) => historyPage(portions, query, grow) });

/**
 * @param portions of a stream, oldest first, with one event more than the limit if there are more
 * @param grow called with the bytes of each event; may delay the next event
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
