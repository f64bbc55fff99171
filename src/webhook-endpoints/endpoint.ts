import { z } from 'zod';

import { newSigningSecret } from './signature.js';

/** How long the previous secret signs after a rotation: receivers take the new one meanwhile. */
export const PREVIOUS_SECRET_MS = 24 * 3_600_000;

/** `cloud_event`: a CloudEvent. `judge0`: what Judge0 sends to a `callback_url`. */
export const ENDPOINT_FORMATS = ['cloud_event', 'judge0'] as const;
export type EndpointFormat = (typeof ENDPOINT_FORMATS)[number];

/** Where a webhook is sent, in which form, and what signs it. Confidential: stored only in sealed form. */
export const endpointSchema = z.object({
  url: z.string(),
  format: z.enum(ENDPOINT_FORMATS),
  description: z.string(),
  /** Null for the webhook of one execution without a secret: nothing is signed. */
  secret: z.string().nullable(),
  previous: z.object({ secret: z.string(), until: z.iso.datetime() }).nullable(),
});
export type Endpoint = z.output<typeof endpointSchema>;

export const newEndpoint = (url: string, description: string): Endpoint & { readonly secret: string } => ({
  url,
  format: 'cloud_event',
  description,
  secret: newSigningSecret(),
  previous: null,
});

export function withNewSecret(endpoint: Endpoint, now: Date): Endpoint & { readonly secret: string } {
  const until = new Date(now.getTime() + PREVIOUS_SECRET_MS).toISOString();
  const previous = endpoint.secret === null ? null : { secret: endpoint.secret, until };
  return { ...endpoint, secret: newSigningSecret(), previous };
}

/** The secrets that sign at a time, the newest first. */
export function secretsAt({ secret, previous }: Endpoint, now: Date): string[] {
  if (secret === null) return [];
  return previous !== null && now < new Date(previous.until) ? [secret, previous.secret] : [secret];
}
