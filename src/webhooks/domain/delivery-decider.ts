import type { Decider } from '../../event-sourcing/core/decider.js';
import type { StreamRef } from '../../event-sourcing/core/event.js';
import { DomainError, unreachable } from '../../kernel/errors.js';
import { requireOwner } from '../../kernel/requester.js';
import { deterministicId } from '../../kernel/uuid.js';
import type { DeliveryCommand, RecordAttempt } from './delivery-commands.js';
import {
  type DeliveryEvent,
  WebhookDelivered,
  WebhookDeliveryAbandoned,
  WebhookDeliveryFailed,
  WebhookDeliveryRequested,
  WebhookRedeliveryRequested,
} from './delivery-events.js';

/** `pending`: an attempt is due or scheduled. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'abandoned'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

export interface KnownDelivery {
  readonly status: DeliveryStatus;
  readonly owner_id: string;
  readonly webhook_id: string | null;
  /** Attempts that were made since it was requested, or requested again. */
  readonly attempts: number;
}

export type DeliveryState = { readonly status: 'absent' } | KnownDelivery;

export const deliveryStream = (deliveryId: string): StreamRef => ({ type: 'delivery', id: deliveryId });

/** The same in every process and after a crash, so that an event is delivered to a webhook once. */
export const deliveryIdOf = (webhookOrExecutionId: string, eventId: string): string =>
  deterministicId('webhook-delivery', webhookOrExecutionId, eventId);

export const deliveryNotFound = (): DomainError =>
  new DomainError('delivery_not_found', 'Delivery not found', 'not_found');

const notEnded = (): DomainError => new DomainError('delivery_pending', 'Delivery has not ended');

export const deliveryDecider: Decider<DeliveryCommand, DeliveryState, DeliveryEvent> = {
  initialState: { status: 'absent' },
  decide,
  evolve,
};

function decide(command: DeliveryCommand, state: DeliveryState): readonly DeliveryEvent[] {
  if (command.type === 'RequestDelivery') {
    return state.status === 'absent' ? [WebhookDeliveryRequested(command.delivery)] : [];
  }
  if (state.status === 'absent') throw deliveryNotFound();
  const { webhook_id } = state;
  switch (command.type) {
    case 'RecordAttempt':
      return state.status === 'pending' && command.attempt === state.attempts + 1 ? recorded(command, webhook_id) : [];
    case 'AbandonDelivery':
      return state.status === 'pending' ? [WebhookDeliveryAbandoned({ webhook_id, reason: command.reason })] : [];
    case 'Redeliver':
      if (webhook_id !== command.webhookId) throw deliveryNotFound();
      requireOwner(command.requester, state.owner_id);
      if (state.status === 'pending') throw notEnded();
      return [WebhookRedeliveryRequested({ webhook_id })];
    default:
      return unreachable(command);
  }
}

function recorded({ attempt, outcome }: RecordAttempt, webhook_id: string | null): readonly DeliveryEvent[] {
  const { durationMs: duration_ms } = outcome;
  if (outcome.delivered)
    return [WebhookDelivered({ webhook_id, attempt, status_code: outcome.statusCode, duration_ms })];
  const { failure, statusCode: status_code, nextAttemptAt } = outcome;
  const next_attempt_at = nextAttemptAt?.toISOString() ?? null;
  const failed = WebhookDeliveryFailed({ webhook_id, attempt, failure, status_code, duration_ms, next_attempt_at });
  if (next_attempt_at !== null) return [failed];
  const reason = status_code === GONE ? 'gone' : 'attempts';
  return [failed, WebhookDeliveryAbandoned({ webhook_id, reason })];
}

/** RFC 9110, section 15.5.11: the endpoint is not available any more, permanently. */
export const GONE = 410;

function evolve(state: DeliveryState, event: DeliveryEvent): DeliveryState {
  if (event.type === 'WebhookDeliveryRequested') {
    const { owner_id, webhook_id } = event.data;
    return { status: 'pending', owner_id, webhook_id, attempts: 0 };
  }
  if (state.status === 'absent') throw new Error(`${event.type} on a delivery that was never requested`);
  switch (event.type) {
    case 'WebhookDeliveryFailed':
      return { ...state, attempts: event.data.attempt };
    case 'WebhookDelivered':
      return { ...state, status: 'delivered', attempts: event.data.attempt };
    case 'WebhookDeliveryAbandoned':
      return { ...state, status: 'abandoned' };
    case 'WebhookRedeliveryRequested':
      return { ...state, status: 'pending', attempts: 0 };
    default:
      return unreachable(event);
  }
}
