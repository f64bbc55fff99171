import { Socket } from 'node:net';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { waitsForContinue } from './expect-continue.js';
import { mayHaveContent } from './request-content.js';

/** Up to this size, the content of a refused request is read and dropped, and the connection stays usable. */
const DROPPED_BYTES_MAX = 64 * 1024;
/** Accepted from a client after the response, until it notices; more closes the connection. */
const LINGER_BYTES_MAX = 1024 ** 2;
const LINGER_MS_MAX = 2_000;

/**
 * For a response that is sent before the content has arrived. Large content is not read: the connection closes, and the
 * response has `Connection: close`.
 */
export function closeOnUnreadContent({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete || !mayHaveContent(raw.headers)) return;
  const length = Number(raw.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  // RFC 9110, section 15.5.9: after a 408 the connection is of no use.
  const isRead = length <= DROPPED_BYTES_MAX && !waitsForContinue(raw) && reply.statusCode !== 408;
  if (isRead) return;
  void reply.header('connection', 'close');
  lingerOnClose(raw.socket);
}

/**
 * RFC 9112, section 9.6: closing a socket while data arrives resets it, and the reset may destroy the response before
 * the client has read it. So the socket is half-closed first, and incoming data is dropped for a short time.
 */
export function lingerOnClose(socket: Socket): void {
  if (!(socket instanceof Socket)) return;
  // Node's HTTP server calls this when the last response of a connection is sent.
  socket.destroySoon = () => {
    let bytes = 0;
    const drop = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > LINGER_BYTES_MAX) socket.destroy();
    };
    socket.on('data', drop);
    // Later requests on this connection are not carried out: they cannot get a response.
    for (const listener of socket.listeners('data')) {
      if (listener !== drop) socket.off('data', listener as (chunk: Buffer) => void);
    }
    const cutOff = setTimeout(() => socket.destroy(), LINGER_MS_MAX);
    socket.once('close', () => clearTimeout(cutOff));
    socket.end();
  };
}
