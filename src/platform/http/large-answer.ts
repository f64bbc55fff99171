import { Readable } from 'node:stream';

import { stringifyChunked } from '@discoveryjs/json-ext';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import type { LargeAnswers } from './user-turns.js';

/** What is read for an answer; below this it is no matter of memory. */
const LARGE_BYTES_MIN = 256 * 1024;
export const isLarge = (bytes: number): boolean => bytes >= LARGE_BYTES_MIN;

/** Made at a time, and ready for a client that is slow. */
const PIECE_CHARS = 64 * 1024;

/**
 * An answer whose size is its data's: a large one waits for its user's turn, and is written piece by piece, since one
 * text of it all would keep everybody else waiting, and may be longer than a text can be.
 * @param bytes of what is read for it
 * @param read gets it; all of it, so that what fails is still an error of its own
 */
export async function sizedAnswer<Answer>(
  turns: LargeAnswers,
  { userId, reply, bytes }: { readonly userId: string; readonly reply: FastifyReply; readonly bytes: number },
  read: () => Promise<Answer>,
): Promise<Answer | StreamableFile> {
  if (!isLarge(bytes)) return read();
  await turns.take(userId, reply);
  const pieces = stringifyChunked(await read(), { highWaterMark: PIECE_CHARS });
  const content = Readable.from(pieces, { objectMode: false, highWaterMark: PIECE_CHARS });
  return new StreamableFile(content, { type: 'application/json; charset=utf-8' });
}
