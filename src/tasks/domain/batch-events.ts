import { z } from 'zod';

import { type EventOf, eventType } from '../../event-sourcing/core/event-type.js';
import { executionLimits, retryPolicy, timeoutSeconds } from './execution-shape.js';

/** Executions of one batch of new tasks: three events each, in one append. */
export const BATCH_ITEMS_MAX = 200;
/** Reruns of one batch: their sources' ids take 39 KiB of the 64 KiB that an event may have. */
export const RERUNS_MAX = 1_000;

const size = z.int().min(1).max(BATCH_ITEMS_MAX);

/** Settings of the reruns that differ from those of their sources. */
const rerunOverrides = z.object({
  priority: z.int().min(0).max(10).optional(),
  timeout_seconds: timeoutSeconds.optional(),
  retry: retryPolicy.partial().optional(),
  limits: executionLimits.partial().optional(),
});

/**
 * New tasks with one execution each, all in the append of this event. The ids of the executions are not in the event:
 * they are derived from the batch's id and their index (batch-items.ts).
 */
export const BatchCreated = eventType('BatchCreated', z.object({ batch_id: z.uuid(), owner_id: z.uuid(), size }));

/** Reruns of earlier executions, oldest first. They are started one after another, as their tasks allow. */
export const RerunBatchCreated = eventType(
  'RerunBatchCreated',
  z.object({
    batch_id: z.uuid(),
    owner_id: z.uuid(),
    definition: z.enum(['recorded', 'current']),
    overrides: rerunOverrides,
    source_ids: z.array(z.uuid()).min(1).max(RERUNS_MAX),
  }),
);

/** Items that cannot be started: their source, task or input no longer exists, for example. */
export const BatchItemsRefused = eventType(
  'BatchItemsRefused',
  z.object({
    items: z
      .array(z.object({ index: z.int().nonnegative(), code: z.string().min(1).max(64) }))
      .min(1)
      .max(RERUNS_MAX),
  }),
);

/** Every item has been started or refused. */
export const BatchStartsCompleted = eventType('BatchStartsCompleted', z.object({}));

/** No further item is started; those that run are cancelled one by one. */
export const BatchCancellationRequested = eventType('BatchCancellationRequested', z.object({}));

/** Terminal: the cancellation of every item that had been started is recorded on its own stream. */
export const BatchCancelled = eventType('BatchCancelled', z.object({}));

export const batchEvents = {
  BatchCreated,
  RerunBatchCreated,
  BatchItemsRefused,
  BatchStartsCompleted,
  BatchCancellationRequested,
  BatchCancelled,
};
export type BatchEvent = EventOf<typeof batchEvents>;
export type RerunSettings = Pick<ReturnType<typeof RerunBatchCreated>['data'], 'definition' | 'overrides'>;
