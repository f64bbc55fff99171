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

interface Sized<Content> {
  readonly userId: string;
  readonly reply: FastifyReply;
  /** Of what is read for it. */
  readonly bytes: number;
  /** Gets all of it, so that what fails is still an error of its own. */
  readonly read: () => Promise<Content>;
}

/**
 * An answer whose size is its data's: a large one waits for its user's turn, and is written piece by piece, since one
 * text of it all would keep everybody else waiting, and may be longer than a text can be.
 */
export const sizedAnswer = <Answer>(turns: LargeAnswers, sized: Sized<Answer>): Promise<Answer | StreamableFile> =>
  answered(turns, sized, (answer) => {
    const pieces = stringifyChunked(answer, { highWaterMark: PIECE_SIZE });
    return new StreamableFile(piecemeal(sized.reply, pieces), { type: 'application/json; charset=utf-8' });
  });

/** As sizedAnswer, of bytes. */
export const sizedBytes = (turns: LargeAnswers, sized: Sized<Buffer>): Promise<Buffer | StreamableFile> =>
  answered(
    turns,
    sized,
    (content) => new StreamableFile(piecemeal(sized.reply, slicesOf(content)), { length: content.length }),
  );

async function answered<Content>(
  turns: LargeAnswers,
  { userId, reply, bytes, read }: Sized<Content>,
  inPieces: (content: Content) => StreamableFile,
): Promise<Content | StreamableFile> {
  if (!isLarge(bytes)) return read();
  await turns.take(userId, reply);
  return inPieces(await read());
}

function* slicesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_SIZE) yield content.subarray(at, at + PIECE_SIZE);
}

/** Whoever reads nothing of it does not hold it, and a turn, for ever. */
const piecemeal = (reply: FastifyReply, pieces: Iterable<string | Buffer>): Readable =>
  Readable.from(cutOffWhenStalled(reply, pieces), { objectMode: false, highWaterMark: PIECE_SIZE });
