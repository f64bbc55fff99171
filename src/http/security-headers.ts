import type { FastifyReply, FastifyRequest } from 'fastify';

import { REQUEST_ID_HEADER } from './request-context.js';

/** An API has nothing to load and nothing to be framed. */
const API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const HSTS = 'max-age=31536000; includeSubDomains';

/**
 * On the raw response: Fastify merges these into every answer, and a stream that writes to the raw response itself
 * (server-sent events) carries them too.
 */
export function setStandingHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply;
  raw.setHeader(REQUEST_ID_HEADER, request.id);
  raw.setHeader('x-content-type-options', 'nosniff');
  raw.setHeader('x-frame-options', 'DENY');
  raw.setHeader('referrer-policy', 'strict-origin-when-cross-origin');
  raw.setHeader('content-security-policy', API_CSP);
  // Answers are the caller's own; what anybody may keep says so itself.
  raw.setHeader('cache-control', 'no-store');
  if (request.protocol === 'https') raw.setHeader('strict-transport-security', HSTS);
}
