import type { Decider } from '../../event-sourcing/core/decider.js';
import type { StreamRef } from '../../event-sourcing/core/event.js';
import { DomainError, unreachable } from '../../kernel/errors.js';
import { requireOwner, requireSelf } from '../../kernel/requester.js';
import type { UpdateWebhook, WebhookCommand } from './webhook-commands.js';
import {
  type DisabledReason,
  WebhookCreated,
  type WebhookDefinition,
  WebhookDeleted,
  WebhookDisabled,
  WebhookEnabled,
  type WebhookEvent,
  WebhookSecretRotated,
  WebhookUpdated,
} from './webhook-events.js';

export interface KnownWebhook {
  readonly status: 'enabled' | 'disabled';
  readonly owner_id: string;
  readonly definition: WebhookDefinition;
  readonly disabled_reason: DisabledReason | null;
}

export type WebhookState = { readonly status: 'absent' } | { readonly status: 'deleted' } | KnownWebhook;

export const webhookStream = (webhookId: string): StreamRef => ({ type: 'webhook', id: webhookId });

export const webhookNotFound = (): DomainError =>
  new DomainError('webhook_not_found', 'Webhook not found', 'not_found');

export const webhookDisabled = (): DomainError => new DomainError('webhook_disabled', 'Webhook is disabled');

/** Somebody else changed it in the meantime. May be repeated. */
export const webhookChanged = (): DomainError => new DomainError('webhook_changed', 'Webhook was changed meanwhile');

export const webhookDecider: Decider<WebhookCommand, WebhookState, WebhookEvent> = {
  initialState: { status: 'absent' },
  decide,
  evolve,
};

function decide(command: WebhookCommand, state: WebhookState): readonly WebhookEvent[] {
  if (command.type === 'CreateWebhook') {
    const { webhookId, ownerId, definition } = command;
    return state.status === 'absent'
      ? [WebhookCreated({ webhook_id: webhookId, owner_id: ownerId, ...definition })]
      : [];
  }
  if (command.type === 'DisableWebhook') {
    return state.status === 'enabled' ? [WebhookDisabled({ reason: command.reason })] : [];
  }
  const webhook = requireKnown(state);
  requireOwner(command.requester, webhook.owner_id);
  switch (command.type) {
    case 'UpdateWebhook':
      return update(command, webhook);
    case 'RotateWebhookSecret':
      // Its response has the secret: not for an admin.
      requireSelf(command.requester, webhook.owner_id);
      return [WebhookSecretRotated({ endpoint: command.endpoint })];
    case 'DeleteWebhook':
      return [WebhookDeleted({})];
    default:
      return unreachable(command);
  }
}

/** @throws DomainError `webhook_not_found` */
export function requireKnown(state: WebhookState): KnownWebhook {
  if (state.status === 'absent' || state.status === 'deleted') throw webhookNotFound();
  return state;
}

function update({ changes }: UpdateWebhook, webhook: KnownWebhook): readonly WebhookEvent[] {
  const { enabled, endpoint, events: subscribed, include_output } = changes;
  const { definition } = webhook;
  const updated = {
    endpoint: endpoint ?? definition.endpoint,
    events: subscribed ?? definition.events,
    include_output: include_output ?? definition.include_output,
  };
  const events: WebhookEvent[] = [];
  if (!isSame(updated, definition)) events.push(WebhookUpdated(updated));
  if (enabled === true && webhook.status === 'disabled') events.push(WebhookEnabled({}));
  if (enabled === false && webhook.status === 'enabled') events.push(WebhookDisabled({ reason: 'requested' }));
  return events;
}

/** A sealed endpoint is never the same as one that was sealed again: the caller gives it only if it has changed. */
const isSame = (one: WebhookDefinition, other: WebhookDefinition): boolean =>
  one.endpoint === other.endpoint &&
  one.include_output === other.include_output &&
  one.events.length === other.events.length &&
  one.events.every((event) => other.events.includes(event));

function evolve(state: WebhookState, event: WebhookEvent): WebhookState {
  if (event.type === 'WebhookCreated') {
    const { webhook_id: _id, owner_id, ...definition } = event.data;
    return { status: 'enabled', owner_id, definition, disabled_reason: null };
  }
  if (state.status === 'absent' || state.status === 'deleted') throw new Error(`${event.type} on no webhook`);
  switch (event.type) {
    case 'WebhookUpdated':
      return { ...state, definition: event.data };
    case 'WebhookSecretRotated':
      return { ...state, definition: { ...state.definition, ...event.data } };
    case 'WebhookDisabled':
      return { ...state, status: 'disabled', disabled_reason: event.data.reason };
    case 'WebhookEnabled':
      return { ...state, status: 'enabled', disabled_reason: null };
    case 'WebhookDeleted':
      return { status: 'deleted' };
    default:
      return unreachable(event);
  }
}
