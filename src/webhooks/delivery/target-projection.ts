import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { SubscribableEvent } from '../../tasks/domain/subscribable-events.js';
import type { WebhookEvent } from '../domain/webhook-events.js';

/** A webhook at the checkpoint of its own subscription: `read.webhooks` is as far as the projector. */
export interface WebhookTarget {
  readonly webhook_id: string;
  readonly owner_id: string;
  readonly status: 'enabled' | 'disabled';
  readonly endpoint: string;
  readonly events: readonly SubscribableEvent[];
  readonly include_output: boolean;
  /** Failures before do not count towards disabling it. */
  readonly enabled_at: string | Date;
}

export function foldTarget(row: WebhookTarget | null, event: RecordedEvent<WebhookEvent>): WebhookTarget | null {
  const at = event.recordedAt.toISOString();
  if (event.type === 'WebhookCreated') return { ...event.data, status: 'enabled', enabled_at: at };
  if (row === null) return null;
  switch (event.type) {
    case 'WebhookUpdated':
    case 'WebhookSecretRotated':
      return { ...row, ...event.data };
    case 'WebhookDisabled':
      return { ...row, status: 'disabled' };
    case 'WebhookEnabled':
      return { ...row, status: 'enabled', enabled_at: at };
    case 'WebhookDeleted':
      return null;
    default:
      return unreachable(event);
  }
}

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
    enabled_at: 'timestamptz',
  },
  keyOf: ({ stream }) => (stream.type === 'webhook' ? stream.id : null),
  project: (row, event) => foldTarget(row, event as RecordedEvent<WebhookEvent>),
});
