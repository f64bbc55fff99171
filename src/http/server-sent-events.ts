import type { FastifyReply, FastifyRequest } from 'fastify';

import { resolvesWithin } from '../platform/async/timeout.js';
import type { Exchange } from './http-commands.js';
import { liveResponse } from './live-response.js';
import { HttpProblem } from './problem.js';

/** HTML Living Standard, section 9.2. */
export const EVENT_STREAM = 'text/event-stream';

/** After this long without an event, a comment is sent, so that proxies and clients keep the stream open. */
export const HEARTBEAT_MS = 15_000;
/** The delay before a client reconnects. */
const RECONNECT_MS = 1_000;

export interface ServerSentEvent {
  /** Absent: a client that reconnects continues after the event before. */
  readonly id?: string;
  readonly event: string;
  /** Sent as JSON. */
  readonly data: unknown;
}

/** Whether the client's Accept header names the event stream. Adds `Vary: Accept` to the response, for caches. */
export function wantsEvents({ request, reply }: Exchange): boolean {
  const vary = reply.getHeader('vary');
  void reply.header('vary', vary === undefined ? 'Accept' : `${String(vary)}, Accept`);
  const ranges = (request.headers.accept ?? '').split(',').map((range) => range.split(';', 1)[0]!.trim().toLowerCase());
  return ranges.includes(EVENT_STREAM);
}

/** @returns the version after which to continue, if the client reconnects. @throws HttpProblem 400 */
export function lastVersionSeen({ headers }: Pick<FastifyRequest, 'headers'>): number | undefined {
  const id = headers['last-event-id'];
  if (id === undefined || id === '') return undefined;
  if (typeof id === 'string' && /^\d{1,9}$/.test(id)) return Number(id);
  throw new HttpProblem(400, 'invalid_last_event_id', 'Last-Event-ID takes the id of an event of this stream');
}

/** Adds null after each `quietMs` without an event. */
export async function* withHeartbeats<Item>(items: AsyncIterable<Item>, quietMs: number): AsyncGenerator<Item | null> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = iterator.next();
      while (!(await resolvesWithin(next, quietMs))) yield null;
      const result = await next;
      if (result.done) return;
      yield result.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** @param events null stands for a period without events and is sent as a heartbeat */
export function eventStreamResponse(reply: FastifyReply, events: AsyncIterable<ServerSentEvent | null>) {
  void reply.type(EVENT_STREAM);
  return liveResponse(reply, encoded(events));
}

async function* encoded(events: AsyncIterable<ServerSentEvent | null>): AsyncGenerator<Uint8Array> {
  yield Buffer.from(`retry: ${RECONNECT_MS}\n\n`);
  for await (const event of events) yield Buffer.from(event === null ? ':\n\n' : fieldsOf(event));
}

// JSON.stringify produces no line breaks: one data line.
const fieldsOf = ({ id, event, data }: ServerSentEvent): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
