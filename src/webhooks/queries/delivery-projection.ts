import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { DeliveryStatus } from '../domain/delivery-decider.js';
import type { AbandonedReason, AttemptFailure, DeliveryEvent } from '../domain/delivery-events.js';
import type { DeliveredEvent } from '../domain/delivered-events.js';

/** A row of `read.webhook_deliveries`: for lists, and for the dispatcher. */
export interface DeliveryRow {
  readonly id: string;
  readonly webhook_id: string | null;
  readonly owner_id: string;
  readonly endpoint: string | null;
  readonly include_output: boolean;
  readonly event_id: string;
  readonly event_type: DeliveredEvent;
  readonly event_time: string | Date;
  readonly source_id: string;
  readonly source_version: number;
  readonly status: DeliveryStatus;
  /** Since it was requested, or requested again. */
  readonly attempts: number;
  readonly status_code: number | null;
  /** Of the last attempt. */
  readonly failure: AttemptFailure | null;
  readonly abandoned_reason: AbandonedReason | null;
  /** When the next attempt is to be made; null if there is none. */
  readonly due_at: string | Date | null;
  /** Deliveries of a lane share its limits: those of a webhook, or those of all executions of a user. */
  readonly lane: string;
  readonly created_at: string | Date;
  readonly completed_at: string | Date | null;
  /** Of the event that is delivered. */
  readonly traceparent: string | null;
  readonly version: number;
}

export function projectDelivery(row: DeliveryRow | null, event: RecordedEvent<DeliveryEvent>): DeliveryRow | null {
  const { version } = event;
  const at = event.recordedAt.toISOString();
  if (event.type === 'WebhookDeliveryRequested') return requested(event);
  if (row === null) return null;
  switch (event.type) {
    case 'WebhookDeliveryFailed': {
      const { attempt: attempts, failure, status_code, next_attempt_at: due_at } = event.data;
      return { ...row, attempts, failure, status_code, due_at, version };
    }
    case 'WebhookDelivered': {
      const { attempt: attempts, status_code } = event.data;
      const last = { attempts, status_code, failure: null };
      return { ...row, ...last, status: 'delivered', due_at: null, completed_at: at, version };
    }
    case 'WebhookDeliveryAbandoned': {
      const abandoned_reason = event.data.reason;
      return { ...row, status: 'abandoned', abandoned_reason, due_at: null, completed_at: at, version };
    }
    case 'WebhookRedeliveryRequested': {
      const again = { attempts: 0, abandoned_reason: null, completed_at: null };
      return { ...row, ...again, status: 'pending', due_at: at, version };
    }
    default:
      return unreachable(event);
  }
}

function requested(event: RecordedEvent<Extract<DeliveryEvent, { type: 'WebhookDeliveryRequested' }>>): DeliveryRow {
  const { delivery_id: id, webhook_id, owner_id, ...rest } = event.data;
  const at = event.recordedAt.toISOString();
  return {
    id,
    webhook_id,
    owner_id,
    ...rest,
    status: 'pending',
    attempts: 0,
    status_code: null,
    failure: null,
    abandoned_reason: null,
    due_at: at,
    lane: webhook_id ?? owner_id,
    created_at: at,
    completed_at: null,
    traceparent: event.metadata.traceparent ?? null,
    version: event.version,
  };
}

export const deliveryProjection = defineProjection<DeliveryRow>({
  table: 'webhook_deliveries',
  key: 'id',
  columns: {
    id: 'uuid',
    webhook_id: 'uuid',
    owner_id: 'uuid',
    endpoint: 'text',
    include_output: 'boolean',
    event_id: 'uuid',
    event_type: 'text',
    event_time: 'timestamptz',
    source_id: 'uuid',
    source_version: 'integer',
    status: 'text',
    attempts: 'integer',
    status_code: 'integer',
    failure: 'text',
    abandoned_reason: 'text',
    due_at: 'timestamptz',
    lane: 'uuid',
    created_at: 'timestamptz',
    completed_at: 'timestamptz',
    traceparent: 'text',
    version: 'integer',
  },
  keyOf: ({ stream }) => (stream.type === 'delivery' ? stream.id : null),
  project: (row, event) => projectDelivery(row, event as RecordedEvent<DeliveryEvent>),
});
