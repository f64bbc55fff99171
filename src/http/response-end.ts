import type { EventEmitter } from 'node:events';

import type { FastifyReply } from 'fastify';

import { HttpProblem } from './problem.js';

/** Ends the work for a request whose client has disconnected. The status appears only in the log. */
export const clientGone = (): HttpProblem => new HttpProblem(499, 'client_gone', 'The client has disconnected');

/** One listener per response and per connection: a connection has many pipelined requests, and a response many callers. */
const known = new WeakMap<EventEmitter, Set<() => void>>();

/** No further event would report it. */
export const hasClientLeft = ({ raw }: Pick<FastifyReply, 'raw'>): boolean => raw.destroyed || raw.req.socket.destroyed;

/**
 * Calls `over` once, when the response is sent or the client disconnects; at once if it has disconnected already.
 * @returns a function that removes the callback
 */
export function onResponseEnd({ raw }: Pick<FastifyReply, 'raw'>, over: () => void): () => void {
  const { socket } = raw.req;
  if (hasClientLeft({ raw })) {
    over();
    return () => undefined;
  }
  // A response that is queued behind others on its connection may never emit close, even if the connection closes.
  const listeners = [listenersOf(raw), listenersOf(socket)];
  const forget = (): void => {
    for (const each of listeners) each.delete(ended);
  };
  const ended = (): void => {
    forget();
    over();
  };
  for (const each of listeners) each.add(ended);
  return forget;
}

function listenersOf(emitter: EventEmitter): Set<() => void> {
  const found = known.get(emitter);
  if (found) return found;
  const listeners = new Set<() => void>();
  known.set(emitter, listeners);
  emitter.once('close', () => {
    for (const listener of listeners) listener();
  });
  return listeners;
}
