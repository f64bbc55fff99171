import type { EventEmitter } from 'node:events';

import type { FastifyReply } from 'fastify';

import { HttpProblem } from './problem.js';

/** Ends the work for a request that nobody waits for any more. Seen only in the log. */
export const clientGone = (): HttpProblem => new HttpProblem(499, 'client_gone', 'The client is gone');

/** One listener a connection, however many requests are pipelined on it. */
const ofConnection = new WeakMap<EventEmitter, Set<() => void>>();

/**
 * Calls back once, when an answer is out or its client is gone; at once where it is gone already.
 * @returns takes it back
 */
export function onResponseEnd({ raw }: Pick<FastifyReply, 'raw'>, over: () => void): () => void {
  const { socket } = raw.req;
  // Gone while something was looked up: nothing would tell of its end.
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
  // An answer that waits behind others on its connection may never close, even where the connection does.
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
