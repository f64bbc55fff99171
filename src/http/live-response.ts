import { Readable } from 'node:stream';

import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { cutOffWhenStalled, STALLED_MS_MAX } from './stalled-client.js';

/** Buffered for a slow client. */
const READ_AHEAD_BYTES = 64 * 1024;

/**
 * A response that continues while its source has data. The source is read only as fast as the client reads, so a slow
 * client does not fill memory.
 */
export function liveResponse(reply: FastifyReply, chunks: AsyncIterable<Uint8Array>, stalledMsMax = STALLED_MS_MAX) {
  // Proxies that support this header forward each chunk at once.
  void reply.header('x-accel-buffering', 'no');
  const source = sent(reply, chunks, stalledMsMax);
  // Not the generator itself: Nest would delay the headers until the first chunk.
  return new StreamableFile(Readable.from(source, { objectMode: false, highWaterMark: READ_AHEAD_BYTES }));
}

async function* sent(reply: FastifyReply, chunks: AsyncIterable<Uint8Array>, stalledMsMax: number) {
  // The client gets the headers before the first data.
  reply.raw.flushHeaders();
  yield* cutOffWhenStalled(reply, chunks, stalledMsMax);
}
