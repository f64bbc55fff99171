import type { FastifyReply } from 'fastify';

import { onResponseEnd } from './response-end.js';

/** A client that reads nothing for this time, although data is ready, is disconnected. It can reconnect. */
export const STALLED_MS_MAX = 60_000;

/** @returns a function that cancels the timeout */
function cutOffAfter({ raw }: FastifyReply, stalledMsMax: number): () => void {
  const stalled = setTimeout(() => raw.destroy(), stalledMsMax);
  return () => clearTimeout(stalled);
}

/** Yields the chunks as the client reads them, and closes the connection of a client that stops reading. */
export async function* cutOffWhenStalled<Chunk>(
  reply: FastifyReply,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  stalledMsMax = STALLED_MS_MAX,
): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    // The generator continues when the buffer has room for more.
    const taken = cutOffAfter(reply, stalledMsMax);
    try {
      yield chunk;
    } finally {
      taken();
    }
  }
  // The last chunks may still be in buffers.
  onResponseEnd(reply, cutOffAfter(reply, stalledMsMax));
}
