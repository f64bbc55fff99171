import { z } from 'zod';

import { type EventOf, eventType } from '../../event-sourcing/core/event-type.js';
import { sealedEndpoint, subscribedEvents } from '../../tasks/domain/execution-events.js';

/** What its owner chooses. */
const definition = { endpoint: sealedEndpoint, events: subscribedEvents, include_output: z.boolean() };

/** `gone`: the endpoint answered 410. `failing`: it failed for days. `backlog`: too many deliveries wait for it. */
export const DISABLED_REASONS = ['requested', 'gone', 'failing', 'backlog'] as const;
export type DisabledReason = (typeof DISABLED_REASONS)[number];

export const WebhookCreated = eventType(
  'WebhookCreated',
  z.object({ webhook_id: z.uuid(), owner_id: z.uuid(), ...definition }),
);

export const WebhookUpdated = eventType('WebhookUpdated', z.object(definition));

/** For a time, the previous secret signs as well. */
export const WebhookSecretRotated = eventType('WebhookSecretRotated', z.object({ endpoint: sealedEndpoint }));

/** Nothing is sent any more, and what waits is abandoned. */
export const WebhookDisabled = eventType('WebhookDisabled', z.object({ reason: z.enum(DISABLED_REASONS) }));

export const WebhookEnabled = eventType('WebhookEnabled', z.object({}));

export const WebhookDeleted = eventType('WebhookDeleted', z.object({}));

export const webhookEvents = {
  WebhookCreated,
  WebhookUpdated,
  WebhookSecretRotated,
  WebhookDisabled,
  WebhookEnabled,
  WebhookDeleted,
};
export type WebhookEvent = EventOf<typeof webhookEvents>;
export type WebhookDefinition = ReturnType<typeof WebhookUpdated>['data'];
