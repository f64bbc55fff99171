import type { IncomingHttpHeaders } from 'node:http';

import type { FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';

const JSON_TYPE = /^\s*application\/json\s*(;|$)/i;
const TEXT_TYPE = /^\s*text\/plain\s*(;|$)/i;
const BYTES_TYPE = /^\s*(application\/octet-stream|text\/plain)\s*(;|$)/i;

/** Of a route that takes bytes; its content is one of them whatever its charset. */
export const BYTES_TYPES = ['application/octet-stream', 'text/plain'];

/** Whether content may follow the head; only chunked content can turn out to be empty (RFC 9112, section 6.3). */
export const mayHaveContent = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Checks what the head says about the content, before the content is read. Without content, any Content-Type is
 * ignored (RFC 9110, section 8.3): axios and `curl -d ''` send one with every POST.
 * @throws HttpProblem 413, 415 or 501
 */
export function checkContent(request: FastifyRequest): void {
  const { headers, routeOptions } = request;
  if (!mayHaveContent(headers)) {
    delete headers['content-type'];
    return;
  }
  refuseTransferCodings(headers['transfer-encoding']);
  if (Number(headers['content-length'] ?? 0) > routeOptions.bodyLimit) throw bodyTooLarge();
  // RFC 9110, section 8.3: content without a type may be taken as bytes.
  if (routeOptions.config.takesBytes) headers['content-type'] ??= BYTES_TYPES[0]!;
  if (routeOptions.config.jsonAsText && TEXT_TYPE.test(headers['content-type'] ?? ''))
    headers['content-type'] = 'application/json';
  const fault = unsupportedContent(request);
  if (!fault) return;
  if (headers['transfer-encoding'] === undefined) throw fault;
  // The parser for content without a type reads it, and refuses the first byte.
  delete headers['content-type'];
}

/** @returns the error for content that cannot be read; undefined if it can be read */
export function unsupportedContent({ headers, routeOptions }: FastifyRequest): HttpProblem | undefined {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity') {
    // RFC 9110, section 15.5.16: the response lists the supported codings.
    return unsupported('Unsupported content encoding', { 'accept-encoding': 'identity' });
  }
  const takesBytes = routeOptions.config.takesBytes === true;
  if ((takesBytes ? BYTES_TYPE : JSON_TYPE).test(headers['content-type'] ?? '')) return undefined;
  return unsupported('Unsupported media type', { accept: takesBytes ? BYTES_TYPES.join(', ') : 'application/json' });
}

/** RFC 9112, section 6.1: an unknown coding is a 501. Node decodes only `chunked`. */
function refuseTransferCodings(coding: string | undefined): void {
  if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return;
  throw new HttpProblem(501, 'unsupported_transfer_coding', 'Unsupported transfer coding');
}

const unsupported = (detail: string, headers: Record<string, string>): HttpProblem =>
  new HttpProblem(415, 'unsupported_media_type', detail, { headers });

export const bodyTooLarge = (): HttpProblem => new HttpProblem(413, 'body_too_large', 'Request body is too large');
