import type { IncomingHttpHeaders } from 'node:http';

import type { FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';

const JSON_TYPE = /^\s*application\/json\s*(;|$)/i;

/** Whether content may follow the head; only chunked content can turn out to be empty (RFC 9112, section 6.3). */
export const mayHaveContent = (headers: IncomingHttpHeaders): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/**
 * Checks what the head says about the content, before the content is read. Without content, any Content-Type is
 * ignored (RFC 9110, section 8.3): axios and `curl -d ''` send one with every POST.
 * @throws HttpProblem 413, 415 or 501
 */
export function checkContent({ headers, routeOptions }: FastifyRequest): void {
  if (!mayHaveContent(headers)) {
    delete headers['content-type'];
    return;
  }
  refuseTransferCodings(headers['transfer-encoding']);
  if (Number(headers['content-length'] ?? 0) > routeOptions.bodyLimit) throw bodyTooLarge();
  const fault = unsupportedContent(headers);
  if (!fault) return;
  if (headers['transfer-encoding'] === undefined) throw fault;
  // The parser for content without a type reads it, and refuses the first byte.
  delete headers['content-type'];
}

/** @returns the error for content that cannot be read; undefined if it can be read */
export function unsupportedContent(headers: IncomingHttpHeaders): HttpProblem | undefined {
  const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'identity') {
    // RFC 9110, section 15.5.16: the response lists the supported codings.
    return unsupported('Unsupported content encoding', { 'accept-encoding': 'identity' });
  }
  if (JSON_TYPE.test(headers['content-type'] ?? '')) return undefined;
  return unsupported('Unsupported media type', { accept: 'application/json' });
}

/** RFC 9112, section 6.1: an unknown coding is a 501. Node decodes only `chunked`. */
function refuseTransferCodings(coding: string | undefined): void {
  if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return;
  throw new HttpProblem(501, 'unsupported_transfer_coding', 'Unsupported transfer coding');
}

const unsupported = (detail: string, headers: Record<string, string>): HttpProblem =>
  new HttpProblem(415, 'unsupported_media_type', detail, { headers });

export const bodyTooLarge = (): HttpProblem => new HttpProblem(413, 'body_too_large', 'Request body is too large');
