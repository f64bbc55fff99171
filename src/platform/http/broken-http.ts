import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import { newId } from '../../kernel/uuid.js';
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.js';

/** What Node's parser calls it; anything else is a 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Bytes that are no HTTP never become a request, so the answer is written by hand. */
export function answerBrokenHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (socket.writable) socket.write(brokenHttpAnswer(error.code ?? ''));
  socket.destroy(error);
}

export function brokenHttpAnswer(code: string): string {
  const status = STATUS_OF[code] ?? 400;
  const phrase = STATUS_CODES[status] ?? 'Bad Request';
  const requestId = newId();
  const failure = { status, code: 'malformed_request', detail: phrase };
  const body = JSON.stringify(problemOf(failure, { instance: '/', requestId }));
  return [
    `HTTP/1.1 ${status} ${phrase}`,
    `Content-Type: ${PROBLEM_CONTENT_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-ID: ${requestId}`,
    'X-Content-Type-Options: nosniff',
    'Connection: close',
    '',
    body,
  ].join('\r\n');
}
