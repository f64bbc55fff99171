import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { defineProjection } from '../../event-sourcing/projection/projection.js';
import { unreachable } from '../../kernel/errors.js';
import type { SubscribableEvent } from '../../tasks/domain/subscribable-events.js';
import type { DisabledReason, WebhookEvent } from '../domain/webhook-events.js';

/** A row of `read.webhooks`. */
export interface WebhookRow {
  readonly id: string;
  readonly owner_id: string;
  readonly status: 'enabled' | 'disabled';
  readonly disabled_reason: DisabledReason | null;
  readonly endpoint: string;
  readonly events: readonly SubscribableEvent[];
  readonly include_output: boolean;
  readonly created_at: string | Date;
  readonly updated_at: string | Date;
  readonly version: number;
}

export function projectWebhook(row: WebhookRow | null, event: RecordedEvent<WebhookEvent>): WebhookRow | null {
  const { version } = event;
  const updated_at = event.recordedAt.toISOString();
  if (event.type === 'WebhookCreated') {
    const { webhook_id: id, owner_id, ...definition } = event.data;
    const state = { status: 'enabled', disabled_reason: null } as const;
    return { id, owner_id, ...state, ...definition, created_at: updated_at, updated_at, version };
  }
  if (row === null) return null;
  switch (event.type) {
    case 'WebhookUpdated':
    case 'WebhookSecretRotated':
      return { ...row, ...event.data, updated_at, version };
    case 'WebhookDisabled':
      return { ...row, status: 'disabled', disabled_reason: event.data.reason, updated_at, version };
    case 'WebhookEnabled':
      return { ...row, status: 'enabled', disabled_reason: null, updated_at, version };
    case 'WebhookDeleted':
      return null;
    default:
      return unreachable(event);
  }
}

export const webhookProjection = defineProjection<WebhookRow>({
  table: 'webhooks',
  key: 'id',
  columns: {
    id: 'uuid',
    owner_id: 'uuid',
    status: 'text',
    disabled_reason: 'text',
    endpoint: 'text',
    events: 'text[]',
    include_output: 'boolean',
    created_at: 'timestamptz',
    updated_at: 'timestamptz',
    version: 'integer',
  },
  keyOf: ({ stream }) => (stream.type === 'webhook' ? stream.id : null),
  project: (row, event) => projectWebhook(row, event as RecordedEvent<WebhookEvent>),
});
