import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { SubscribableEvent } from '../../tasks/domain/subscribable-events.js';
import { GONE } from '../domain/delivery-decider.js';
import type { DeliveryEvent } from '../domain/delivery-events.js';
import type { WebhookEvent } from '../domain/webhook-events.js';

/** A webhook at the checkpoint of its own subscription: `read.webhooks` is as far as the projector. */
export interface WebhookTarget {
  readonly webhook_id: string;
  readonly owner_id: string;
  readonly status: 'enabled' | 'disabled';
  readonly endpoint: string;
  readonly events: readonly SubscribableEvent[];
  readonly include_output: boolean;
  /** The first failed attempt since the last success; null if there is none. */
  readonly failing_since: string | Date | null;
  /** Whether its endpoint has answered 410. */
  readonly is_gone: boolean;
  /** Of the webhook's own stream. */
  readonly version: number;
}

const WELL = { failing_since: null, is_gone: false } as const;

export function foldTarget(
  row: WebhookTarget | null,
  event: RecordedEvent<WebhookEvent | AttemptEvent>,
): WebhookTarget | null {
  const { version } = event;
  if (event.type === 'WebhookCreated') return { ...event.data, status: 'enabled', ...WELL, version };
  if (row === null) return null;
  switch (event.type) {
    case 'WebhookUpdated':
      // What the last endpoint did says nothing about the next one.
      return { ...row, ...event.data, ...(event.data.endpoint !== row.endpoint && WELL), version };
    case 'WebhookSecretRotated':
      return { ...row, ...event.data, version };
    case 'WebhookDisabled':
      return { ...row, status: 'disabled', version };
    case 'WebhookEnabled':
      return { ...row, status: 'enabled', ...WELL, version };
    case 'WebhookDeleted':
      return null;
    case 'WebhookDelivered':
      return row.failing_since === null ? row : { ...row, failing_since: null };
    case 'WebhookDeliveryFailed':
      return failed(row, event);
    default:
      return unreachable(event);
  }
}

/** The row is the same as long as a webhook fails: thousands of failures cost no write. */
function failed(row: WebhookTarget, { data, recordedAt }: RecordedEvent<AttemptEvent>): WebhookTarget {
  const is_gone = row.is_gone || data.status_code === GONE;
  if (row.failing_since !== null && row.is_gone === is_gone) return row;
  return { ...row, failing_since: row.failing_since ?? recordedAt.toISOString(), is_gone };
}

type AttemptEvent = Extract<DeliveryEvent, { type: 'WebhookDelivered' | 'WebhookDeliveryFailed' }>;

export const isAttempt = (event: RecordedEvent): event is RecordedEvent<AttemptEvent> =>
  event.type === 'WebhookDelivered' || event.type === 'WebhookDeliveryFailed';

export const targetProjection = defineProjection<WebhookTarget>({
  table: 'webhook_targets',
  key: 'webhook_id',
  columns: {
    webhook_id: 'uuid',
    owner_id: 'uuid',
    status: 'text',
    endpoint: 'text',
    events: 'text[]',
    include_output: 'boolean',
    failing_since: 'timestamptz',
    is_gone: 'boolean',
    version: 'integer',
  },
  keyOf: (event) => {
    if (event.stream.type === 'webhook') return event.stream.id;
    return isAttempt(event) ? event.data.webhook_id : null;
  },
  project: (row, event) => foldTarget(row, event as RecordedEvent<WebhookEvent | AttemptEvent>),
});
