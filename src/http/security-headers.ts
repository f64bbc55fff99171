import type { FastifyReply, FastifyRequest } from 'fastify';

import { REQUEST_ID_HEADER } from './request-context.js';

/** An API response loads nothing and must not be framed. */
const API_CSP = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const HSTS = 'max-age=31536000; includeSubDomains';

/**
 * Sets headers on the raw response. Fastify merges them into every response, and a stream that writes directly to the
 * raw response (server-sent events) also has them.
 */
export function setSecurityHeaders(request: FastifyRequest, reply: FastifyReply): void {
  const { raw } = reply;
  raw.setHeader(REQUEST_ID_HEADER, request.id);
  raw.setHeader('x-content-type-options', 'nosniff');
  raw.setHeader('x-frame-options', 'DENY');
  raw.setHeader('referrer-policy', 'strict-origin-when-cross-origin');
  raw.setHeader('content-security-policy', API_CSP);
  // Responses belong to the caller; cacheable routes override this.
  raw.setHeader('cache-control', 'no-store');
  if (request.protocol === 'https') raw.setHeader('strict-transport-security', HSTS);
}
