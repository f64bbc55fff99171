import { z } from 'zod';

import { listQuery, listView } from '../../http/listing/list-query.js';
import { SUBSCRIBABLE_EVENTS } from '../../tasks/domain/subscribable-events.js';
import { TEST_EVENT } from '../domain/delivered-events.js';
import { DELIVERY_STATUSES } from '../domain/delivery-decider.js';
import { ABANDONED_REASONS, ATTEMPT_FAILURES } from '../domain/delivery-events.js';
import type { DeliveryRow } from '../queries/delivery-projection.js';

export const listDeliveriesQuery = z.strictObject({
  ...listQuery(['created_at']),
  status: z.enum(DELIVERY_STATUSES).optional().describe('Only deliveries with this status'),
});
export type ListDeliveriesQuery = z.output<typeof listDeliveriesQuery>;

export const deliveryView = z
  .object({
    id: z.uuid(),
    event_id: z.uuid().describe('Sent as `webhook-id`, the same in each attempt'),
    event_type: z.enum([...SUBSCRIBABLE_EVENTS, TEST_EVENT]),
    execution_id: z.uuid().nullable().describe('Null for a test'),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.int32().nonnegative(),
    response_status: z.int32().nullable().describe('Of the last attempt; null if there was no response'),
    failure: z.enum(ATTEMPT_FAILURES).nullable().describe('Of the last attempt'),
    abandoned_reason: z.enum(ABANDONED_REASONS).nullable(),
    next_attempt_at: z.iso.datetime().nullable(),
    created_at: z.iso.datetime(),
    completed_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'WebhookDelivery' });

export const deliveryList = listView('WebhookDeliveryList', 'deliveries', deliveryView);

const iso = (time: string | Date): string => new Date(time).toISOString();

/** A delivery as clients see it. */
export const deliveryViewOf = (row: DeliveryRow): z.output<typeof deliveryView> => ({
  id: row.id,
  event_id: row.event_id,
  event_type: row.event_type,
  execution_id: row.event_type === TEST_EVENT ? null : row.source_id,
  status: row.status,
  attempts: row.attempts,
  response_status: row.status_code,
  failure: row.failure,
  abandoned_reason: row.abandoned_reason,
  next_attempt_at: row.due_at === null ? null : iso(row.due_at),
  created_at: iso(row.created_at),
  completed_at: row.completed_at === null ? null : iso(row.completed_at),
});
