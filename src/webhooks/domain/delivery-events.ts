import { z } from 'zod';

import { type EventOf, eventType } from '../../event-sourcing/core/event-type.js';
import { sealedEndpoint } from '../../tasks/domain/execution-events.js';
import { SUBSCRIBABLE_EVENTS } from '../../tasks/domain/subscribable-events.js';
import { TEST_EVENT } from './delivered-events.js';

/** Why an attempt failed. `status`: the endpoint answered with another status than 2xx. */
export const ATTEMPT_FAILURES = [
  'status',
  'timeout',
  'connection',
  'tls',
  'dns',
  'address_refused',
  'response_too_large',
] as const;
export type AttemptFailure = (typeof ATTEMPT_FAILURES)[number];

/** `erased`: the data of the owner has been destroyed, and with it the URL. */
export const ABANDONED_REASONS = ['attempts', 'gone', 'disabled', 'deleted', 'erased'] as const;
export type AbandonedReason = (typeof ABANDONED_REASONS)[number];

/** Null for the webhook of a single execution. Part of each event, because its webhook counts them. */
const webhook_id = z.uuid().nullable();
const attempt = z.int().positive();
const status_code = z.int().min(100).max(999);
const duration_ms = z.int().nonnegative();

/** An event is to be sent to an endpoint. The id of the delivery is derived from both (delivery-decider.ts). */
export const WebhookDeliveryRequested = eventType(
  'WebhookDeliveryRequested',
  z.object({
    delivery_id: z.uuid(),
    owner_id: z.uuid(),
    webhook_id,
    /** Of the webhook of a single execution; null: the webhook's own, as it is when the event is sent. */
    endpoint: sealedEndpoint.nullable(),
    include_output: z.boolean(),
    /** `webhook-id`: that of the event, the same in each attempt. */
    event_id: z.uuid(),
    event_type: z.enum([...SUBSCRIBABLE_EVENTS, TEST_EVENT]),
    event_time: z.iso.datetime(),
    /** The execution, or the webhook that is tested. Events of one source are delivered in the order of their versions. */
    source_id: z.uuid(),
    source_version: z.int().nonnegative(),
  }),
);
export type RequestedDelivery = ReturnType<typeof WebhookDeliveryRequested>['data'];

/** `next_attempt_at` is null if it was the last one. */
export const WebhookDeliveryFailed = eventType(
  'WebhookDeliveryFailed',
  z.object({
    webhook_id,
    attempt,
    failure: z.enum(ATTEMPT_FAILURES),
    status_code: status_code.nullable(),
    duration_ms,
    next_attempt_at: z.iso.datetime().nullable(),
  }),
);

export const WebhookDelivered = eventType(
  'WebhookDelivered',
  z.object({ webhook_id, attempt, status_code, duration_ms }),
);

export const WebhookDeliveryAbandoned = eventType(
  'WebhookDeliveryAbandoned',
  z.object({ webhook_id, reason: z.enum(ABANDONED_REASONS) }),
);

/** Its owner wants it sent again, from the first attempt on. */
export const WebhookRedeliveryRequested = eventType('WebhookRedeliveryRequested', z.object({ webhook_id }));

export const deliveryEvents = {
  WebhookDeliveryRequested,
  WebhookDeliveryFailed,
  WebhookDelivered,
  WebhookDeliveryAbandoned,
  WebhookRedeliveryRequested,
};
export type DeliveryEvent = EventOf<typeof deliveryEvents>;
