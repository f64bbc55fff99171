import { z } from 'zod';

import { text } from '../../http/validation/text.js';
import { isSigningSecret } from '../../webhook-endpoints/signature.js';
import { URL_CHARS_MAX } from '../../webhook-endpoints/webhook-url.js';
import { END_EVENTS, SUBSCRIBABLE_EVENTS } from '../domain/subscribable-events.js';

const SECRET_CHARS_MAX = 128;

export const webhookUrl = text({ min: 1, max: URL_CHARS_MAX }).describe(
  'An https URL that leads to a public address; its path may contain a secret',
);

export const webhookEvents = z
  .array(z.enum(SUBSCRIBABLE_EVENTS))
  .min(1)
  .max(SUBSCRIBABLE_EVENTS.length)
  .transform((given) => [...new Set(given)])
  .describe('What is sent');

export const includeOutput = z.boolean().describe('Whether stdout and stderr are sent, 64 KiB of both at most');

/** For the events of one execution. */
export const executionWebhook = z
  .strictObject({
    url: webhookUrl,
    events: webhookEvents.default([...END_EVENTS]),
    include_output: includeOutput.default(false),
    secret: text({ max: SECRET_CHARS_MAX })
      .refine(isSigningSecret, { message: 'must be whsec_ and 24 to 64 bytes in base64', params: { tag: 'format' } })
      .optional()
      .describe('Signs what is sent (Standard Webhooks): `whsec_` and 24 to 64 random bytes in base64. Never shown'),
  })
  .describe('Where events of the execution are sent');
export type ExecutionWebhookBody = z.output<typeof executionWebhook>;
