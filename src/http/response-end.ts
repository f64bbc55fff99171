import type { EventEmitter } from 'node:events';

import type { FastifyReply } from 'fastify';

import { HttpProblem } from './problem.js';

/** Ends the work for a request whose client has disconnected. The status appears only in the log. */
export const clientGone = (): HttpProblem => new HttpProblem(499, 'client_gone', 'The client has disconnected');

/** One listener per connection, regardless of the number of pipelined requests. */
const ofConnection = new WeakMap<EventEmitter, Set<() => void>>();

/**
 * Calls `over` once, when the response is sent or the client disconnects; at once if it has disconnected already.
 * @returns a function that removes the callback
 */
export function onResponseEnd({ raw }: Pick<FastifyReply, 'raw'>, over: () => void): () => void {
  const { socket } = raw.req;
  // The client disconnected earlier: no further event would report it.
  if (raw.destroyed || socket.destroyed) {
    over();
    return () => undefined;
  }
  const onConnection = listenersOf(socket);
  const forget = (): void => {
    raw.off('close', ended);
    onConnection.delete(ended);
  };
  const ended = (): void => {
    forget();
    over();
  };
  raw.once('close', ended);
  // A response that is queued behind others on its connection may never emit close, even if the connection closes.
  onConnection.add(ended);
  return forget;
}

function listenersOf(socket: EventEmitter): Set<() => void> {
  const known = ofConnection.get(socket);
  if (known) return known;
  const listeners = new Set<() => void>();
  ofConnection.set(socket, listeners);
  socket.once('close', () => {
    for (const listener of listeners) listener();
  });
  return listeners;
}
