import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { Requester } from '../../kernel/requester.js';
import type { DisabledReason, WebhookDefinition } from './webhook-events.js';

export class CreateWebhook {
  readonly type = 'CreateWebhook';
  constructor(
    readonly webhookId: string,
    readonly ownerId: string,
    readonly definition: WebhookDefinition,
    readonly metadata: EventMetadata,
  ) {}
}

/** Changes what is given. The endpoint was sealed on top of the version that it was read at. */
export class UpdateWebhook {
  readonly type = 'UpdateWebhook';
  constructor(
    readonly webhookId: string,
    readonly requester: Requester,
    readonly changes: Partial<WebhookDefinition> & { readonly enabled?: boolean | undefined },
    /** The version of the webhook that the endpoint was read at. */
    readonly version: number,
    readonly metadata: EventMetadata,
  ) {}
}

export class RotateWebhookSecret {
  readonly type = 'RotateWebhookSecret';
  constructor(
    readonly webhookId: string,
    readonly requester: Requester,
    readonly endpoint: string,
    /** The version of the webhook that the endpoint was read at. */
    readonly version: number,
    readonly metadata: EventMetadata,
  ) {}
}

/** By the service itself. */
export class DisableWebhook {
  readonly type = 'DisableWebhook';
  constructor(
    readonly webhookId: string,
    readonly reason: Exclude<DisabledReason, 'requested'>,
    /** The version of the webhook that was looked at. What its owner has changed since then is not undone. */
    readonly version: number,
    readonly metadata: EventMetadata,
  ) {}
}

export class DeleteWebhook {
  readonly type = 'DeleteWebhook';
  constructor(
    readonly webhookId: string,
    readonly requester: Requester,
    readonly metadata: EventMetadata,
  ) {}
}

export type WebhookCommand = CreateWebhook | UpdateWebhook | RotateWebhookSecret | DisableWebhook | DeleteWebhook;
