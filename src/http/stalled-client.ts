import type { FastifyReply } from 'fastify';

import { onResponseEnd } from './response-end.js';

/** A client that takes nothing of what is ready for it for as long is cut off: it can come again. */
export const STALLED_MS_MAX = 60_000;

/** @returns takes it back */
function cutOffAfter({ raw }: FastifyReply, stalledMsMax: number): () => void {
  const stalled = setTimeout(() => raw.destroy(), stalledMsMax);
  return () => clearTimeout(stalled);
}

/** What is sent, as it is taken; where nothing is, the connection is closed. */
export async function* cutOffWhenStalled<Chunk>(
  reply: FastifyReply,
  chunks: AsyncIterable<Chunk> | Iterable<Chunk>,
  stalledMsMax = STALLED_MS_MAX,
): AsyncGenerator<Chunk> {
  for await (const chunk of chunks) {
    // It goes on from here once there is room for more.
    const taken = cutOffAfter(reply, stalledMsMax);
    try {
      yield chunk;
    } finally {
      taken();
    }
  }
  // What is left of the last ones is in buffers.
  onResponseEnd(reply, cutOffAfter(reply, stalledMsMax));
}
