import { Readable } from 'node:stream';

import { stringifyChunked } from '@discoveryjs/json-ext';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { cutOffWhenStalled } from './stalled-client.js';
import type { LargeAnswers } from './user-turns.js';

/** What is read for an answer; below this it is no matter of memory. */
const LARGE_BYTES_MIN = 256 * 1024;
/** Made at a time, and ready for a client that is slow; bytes or characters. */
const PIECE_SIZE = 64 * 1024;

export const isLarge = (bytes: number): boolean => bytes >= LARGE_BYTES_MIN;

interface Sized {
  readonly userId: string;
  readonly reply: FastifyReply;
  /** Of what is read for it. */
  readonly bytes: number;
}

/**
 * An answer whose size is its data's: a large one waits for its user's turn, and is written piece by piece, since one
 * text of it all would keep everybody else waiting, and may be longer than a text can be.
 * @param read gets it; all of it, so that what fails is still an error of its own
 */
export async function sizedAnswer<Answer>(
  turns: LargeAnswers,
  { userId, reply, bytes }: Sized,
  read: () => Promise<Answer>,
): Promise<Answer | StreamableFile> {
  if (!isLarge(bytes)) return read();
  await turns.take(userId, reply);
  const pieces = stringifyChunked(await read(), { highWaterMark: PIECE_SIZE });
  return new StreamableFile(piecemeal(reply, pieces), { type: 'application/json; charset=utf-8' });
}

/** As sizedAnswer, of bytes. @throws what `read` throws */
export async function sizedBytes(
  turns: LargeAnswers,
  { userId, reply, bytes }: Sized,
  read: () => Promise<Buffer>,
): Promise<Buffer | StreamableFile> {
  if (!isLarge(bytes)) return read();
  await turns.take(userId, reply);
  const content = await read();
  return new StreamableFile(piecemeal(reply, slicesOf(content)), { length: content.length });
}

function* slicesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_SIZE) yield content.subarray(at, at + PIECE_SIZE);
}

/** Whoever reads nothing of it does not hold it, and a turn, for ever. */
const piecemeal = (reply: FastifyReply, pieces: Iterable<string | Buffer>): Readable =>
  Readable.from(cutOffWhenStalled(reply, pieces), { objectMode: false, highWaterMark: PIECE_SIZE });
