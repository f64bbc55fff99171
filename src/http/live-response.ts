import { Readable } from 'node:stream';

import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { cutOffWhenStalled, STALLED_MS_MAX } from './stalled-client.js';

/** Read ahead of a client that is slow. */
const READ_AHEAD_BYTES = 64 * 1024;

/**
 * An answer that goes on for as long as there is something to tell. It is taken from its source as the client reads it:
 * nobody who is slow makes anything pile up here.
 */
export function liveResponse(reply: FastifyReply, chunks: AsyncIterable<Uint8Array>, stalledMsMax = STALLED_MS_MAX) {
  // Proxies that know the first one pass each chunk on at once.
  void reply.header('x-accel-buffering', 'no');
  const source = sent(reply, chunks, stalledMsMax);
  // Not the generator itself: Nest would hold the headers back until there is a first chunk.
  return new StreamableFile(Readable.from(source, { objectMode: false, highWaterMark: READ_AHEAD_BYTES }));
}

async function* sent(reply: FastifyReply, chunks: AsyncIterable<Uint8Array>, stalledMsMax: number) {
  // The client sees that it is heard, before there is anything to hear.
  reply.raw.flushHeaders();
  yield* cutOffWhenStalled(reply, chunks, stalledMsMax);
}
