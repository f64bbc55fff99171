import { z } from 'zod';

import { historyEntryOf } from '../../kernel/history-entry.js';
import type { RecordedEvent } from '../../kernel/event.js';
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

/** @param events one more than were asked for, where there are more */
export const historyAnswer = (events: readonly RecordedEvent[], { limit }: HistoryQuery) => ({
  events: events.slice(0, limit).map(historyEntryOf),
  has_more: events.length > limit,
});
