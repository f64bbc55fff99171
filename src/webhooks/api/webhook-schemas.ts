import { z } from 'zod';

import { listQuery, listView } from '../../http/listing/list-query.js';
import { text } from '../../http/validation/text.js';
import { END_EVENTS, SUBSCRIBABLE_EVENTS } from '../../tasks/domain/subscribable-events.js';
import { includeOutput, webhookEvents, webhookUrl } from '../../tasks/api/webhook-schema.js';
import { DISABLED_REASONS } from '../domain/webhook-events.js';

const DESCRIPTION_CHARS_MAX = 200;

const description = text({ max: DESCRIPTION_CHARS_MAX });

export const createWebhookBody = z
  .strictObject({
    url: webhookUrl,
    events: webhookEvents.default([...END_EVENTS]),
    description: description.default(''),
    include_output: includeOutput.default(false),
  })
  .meta({
    id: 'CreateWebhook',
    example: { url: 'https://example.com/hooks/voidrunner', events: ['execution.completed', 'execution.failed'] },
  });
export type CreateWebhookBody = z.output<typeof createWebhookBody>;

export const updateWebhookBody = z
  .strictObject({
    url: webhookUrl.optional(),
    events: webhookEvents.optional(),
    description: description.optional(),
    include_output: includeOutput.optional(),
    enabled: z.boolean().optional().describe('True: also a webhook that the service has disabled is sent to again'),
  })
  .meta({ id: 'UpdateWebhook', example: { events: ['execution.failed'], enabled: true } });
export type UpdateWebhookBody = z.output<typeof updateWebhookBody>;

const webhookFields = {
  id: z.uuid(),
  url: z.string(),
  description: z.string(),
  events: z.array(z.enum(SUBSCRIBABLE_EVENTS)),
  include_output: z.boolean(),
  status: z.enum(['enabled', 'disabled']),
  disabled_reason: z
    .enum(DISABLED_REASONS)
    .nullable()
    .describe(
      '`requested`: by you. `gone`: the receiver answered 410. `failing`: no success for five days. ' +
        '`backlog`: too many deliveries waited',
    ),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
};

export const webhookView = z.object(webhookFields).meta({ id: 'Webhook' });
export type WebhookView = z.output<typeof webhookView>;

export const webhookWithSecretView = z
  .object({
    ...webhookFields,
    secret: z.string().describe('Verifies the signatures (Standard Webhooks). It is shown only here'),
  })
  .meta({ id: 'WebhookWithSecret' });

export const listWebhooksQuery = z.strictObject(listQuery(['created_at']));
export type ListWebhooksQuery = z.output<typeof listWebhooksQuery>;

export const webhookList = listView('WebhookList', 'webhooks', webhookView);
