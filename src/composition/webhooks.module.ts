import { type DynamicModule, Module } from '@nestjs/common';

import { DeliveryController } from '../webhooks/api/delivery-controller.js';
import { WebhookController } from '../webhooks/api/webhook-controller.js';
import { WebhookLimits } from '../webhooks/api/webhook-limits.js';
import { AbandonDeliveryHandler } from '../webhooks/commands/abandon-delivery.js';
import { CreateWebhookHandler } from '../webhooks/commands/create-webhook.js';
import { DeleteWebhookHandler } from '../webhooks/commands/delete-webhook.js';
import { DisableWebhookHandler } from '../webhooks/commands/disable-webhook.js';
import { RecordAttemptHandler } from '../webhooks/commands/record-attempt.js';
import { RedeliverHandler } from '../webhooks/commands/redeliver.js';
import { RequestDeliveryHandler } from '../webhooks/commands/request-delivery.js';
import { RotateWebhookSecretHandler } from '../webhooks/commands/rotate-webhook-secret.js';
import { UpdateWebhookHandler } from '../webhooks/commands/update-webhook.js';
import { deliveryQueryHandlers } from '../webhooks/queries/delivery-queries.js';
import { webhookQueryHandlers } from '../webhooks/queries/webhook-queries.js';
import type { Infrastructure } from './infrastructure.js';

const COMMAND_HANDLERS = [
  CreateWebhookHandler,
  UpdateWebhookHandler,
  RotateWebhookSecretHandler,
  DisableWebhookHandler,
  DeleteWebhookHandler,
  RequestDeliveryHandler,
  RecordAttemptHandler,
  AbandonDeliveryHandler,
  RedeliverHandler,
];

/** Webhooks and their deliveries. */
@Module({})
export class WebhooksModule {
  static register({ config }: Infrastructure): DynamicModule {
    const withApi = config.VOIDRUNNER_ROLES.includes('api');
    return {
      module: WebhooksModule,
      controllers: withApi ? [WebhookController, DeliveryController] : [],
      providers: [
        { provide: WebhookLimits, useValue: new WebhookLimits(config.WEBHOOKS_PER_USER_MAX) },
        ...COMMAND_HANDLERS,
        ...webhookQueryHandlers,
        ...deliveryQueryHandlers,
      ],
    };
  }
}
