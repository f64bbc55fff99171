import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';

import { newId } from '../kernel/uuid.js';
import { PROBLEM_CONTENT_TYPE, problemOf } from './problem.js';
import { lingerOnClose } from './unread-content.js';

/** By the error code of Node's parser; any other code is a 400. */
const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

/** Bytes that are not HTTP never become a request, so the response is written directly to the socket. */
export function respondToMalformedHttp(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable) return void socket.destroy(error);
  respondAndClose(socket, STATUS_OF[error.code ?? ''] ?? 400);
}

/** The server is not a proxy (RFC 9110, section 9.3.6). Without a listener Node closes the connection silently. */
export function refuseTunnels(server: Server): void {
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => socket.destroy());
    respondAndClose(socket, 501);
  });
}

function respondAndClose(socket: Socket, status: number): void {
  socket.write(rawResponse(status));
  lingerOnClose(socket);
  socket.destroySoon();
}

function rawResponse(status: number): string {
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
