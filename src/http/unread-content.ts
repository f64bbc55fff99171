import { Socket } from 'node:net';

import type { FastifyReply, FastifyRequest } from 'fastify';

import { waitsForContinue } from './expect-continue.js';
import { mayHaveContent } from './request-content.js';

/** So much of a refused request is read and dropped, and its connection is used again. */
const DROPPED_BYTES_MAX = 64 * 1024;
/** What a client still sends after the answer, before it notices: more is cut off. */
const LINGER_BYTES_MAX = 1024 ** 2;
const LINGER_MS_MAX = 2_000;

/**
 * An answer that is given before the content has come. Much content is not read: the connection closes, and the answer
 * says so.
 */
export function closeOnUnreadContent({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.complete || !mayHaveContent(raw.headers)) return;
  const length = Number(raw.headers['content-length'] ?? Number.POSITIVE_INFINITY);
  if (length <= DROPPED_BYTES_MAX && !waitsForContinue(raw)) return;
  void reply.header('connection', 'close');
  lingerOnClose(raw.socket);
}

/**
 * RFC 9112, section 9.6: a socket that is closed while data comes in is reset, and the reset may destroy the answer
 * before the client has read it. So the socket is closed in one direction first, and what comes is dropped for a while.
 */
export function lingerOnClose(socket: Socket): void {
  if (!(socket instanceof Socket)) return;
  // What Node's HTTP server calls once the last answer of a connection is out.
  socket.destroySoon = () => {
    let bytes = 0;
    const drop = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > LINGER_BYTES_MAX) socket.destroy();
    };
    socket.on('data', drop);
    // No request that comes behind this one is carried out: nobody could be told.
    for (const listener of socket.listeners('data')) {
      if (listener !== drop) socket.off('data', listener as (chunk: Buffer) => void);
    }
    const cutOff = setTimeout(() => socket.destroy(), LINGER_MS_MAX);
    socket.once('close', () => clearTimeout(cutOff));
    socket.end();
  };
}
