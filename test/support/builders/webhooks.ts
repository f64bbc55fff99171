import type { StreamRef } from '../../../src/event-sourcing/core/event.js';
import {
  AbandonDelivery,
  type AttemptOutcome,
  RecordAttempt,
  Redeliver,
  RequestDelivery,
} from '../../../src/webhooks/domain/delivery-commands.js';
import {
  WebhookDelivered,
  WebhookDeliveryAbandoned,
  WebhookDeliveryFailed,
  WebhookDeliveryRequested,
  WebhookRedeliveryRequested,
  type RequestedDelivery,
} from '../../../src/webhooks/domain/delivery-events.js';
import { WebhookCreated, type WebhookDefinition } from '../../../src/webhooks/domain/webhook-events.js';
import { metadata, owner, OWNER_ID } from './people.js';

export const WEBHOOK_ID = '018f0000-0000-7000-8000-000000000e01';
export const OTHER_WEBHOOK_ID = '018f0000-0000-7000-8000-000000000e02';
export const DELIVERY_ID = '018f0000-0000-7000-8000-000000000d01';
export const SOURCE_ID = '018f0000-0000-7000-8000-000000000c01';
export const EVENT_ID = '018f0000-0000-7000-8000-000000000a01';

export const WEBHOOK_STREAM: StreamRef = { type: 'webhook', id: WEBHOOK_ID };
export const DELIVERY_STREAM: StreamRef = { type: 'delivery', id: DELIVERY_ID };

export const definition: WebhookDefinition = {
  endpoint: 'c2VhbGVk',
  events: ['execution.completed', 'execution.failed'],
  include_output: false,
};
export const webhookCreated = (changes: Partial<WebhookDefinition> = {}) =>
  WebhookCreated({ webhook_id: WEBHOOK_ID, owner_id: OWNER_ID, ...definition, ...changes });

export const requested: RequestedDelivery = {
  delivery_id: DELIVERY_ID,
  owner_id: OWNER_ID,
  webhook_id: WEBHOOK_ID,
  endpoint: null,
  include_output: false,
  event_id: EVENT_ID,
  event_type: 'execution.completed',
  event_time: '2026-01-01T00:00:00.000Z',
  source_id: SOURCE_ID,
  source_version: 3,
};
export const deliveryRequested = (changes: Partial<RequestedDelivery> = {}) =>
  WebhookDeliveryRequested({ ...requested, ...changes });

const of = { webhook_id: WEBHOOK_ID };
export const NEXT_AT = '2026-01-01T00:00:05.000Z';
export const failed = (attempt = 1, status_code: number | null = 500, next_attempt_at: string | null = NEXT_AT) =>
  WebhookDeliveryFailed({
    ...of,
    attempt,
    failure: status_code === null ? 'timeout' : 'status',
    status_code,
    duration_ms: 7,
    next_attempt_at,
  });
export const delivered = (attempt = 1) => WebhookDelivered({ ...of, attempt, status_code: 204, duration_ms: 7 });
export const abandoned = (reason: 'attempts' | 'gone' | 'disabled' | 'deleted' | 'erased' = 'attempts') =>
  WebhookDeliveryAbandoned({ ...of, reason });
export const redelivered = WebhookRedeliveryRequested(of);

export const SUCCESS: AttemptOutcome = { delivered: true, statusCode: 204, durationMs: 7 };
export const failure = (
  statusCode: number | null = 500,
  nextAttemptAt: Date | null = new Date(NEXT_AT),
): AttemptOutcome => ({
  delivered: false,
  failure: statusCode === null ? 'timeout' : 'status',
  statusCode,
  durationMs: 7,
  nextAttemptAt,
});

export const requestDelivery = new RequestDelivery(requested, metadata);
export const recordAttempt = (attempt: number, outcome: AttemptOutcome = SUCCESS) =>
  new RecordAttempt(DELIVERY_ID, attempt, outcome, metadata);
export const abandonDelivery = new AbandonDelivery(DELIVERY_ID, 'disabled', metadata);
export const redeliver = (requester: Redeliver['requester'] = owner, webhookId = WEBHOOK_ID) =>
  new Redeliver(DELIVERY_ID, webhookId, requester, metadata);
