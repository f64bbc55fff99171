import { Readable } from 'node:stream';

import { stringifyChunked } from '@discoveryjs/json-ext';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { cutOffWhenStalled } from './stalled-client.js';
import type { LargeResponses } from './user-concurrency.js';

/** What is read for an answer; below this it is no matter of memory. */
const LARGE_BYTES_MIN = 256 * 1024;
/** Made at a time, and ready for a client that is slow; bytes or characters. */
const PIECE_SIZE = 64 * 1024;

export const isLarge = (bytes: number): boolean => bytes >= LARGE_BYTES_MIN;

interface Growing<Content> {
  readonly userId: string;
  readonly reply: FastifyReply;
  /**
   * Gets all of it, so that what fails is still an error of its own.
   * @param grow says of how many bytes more; where they make it a large answer, it waits
   */
  readonly read: (grow: (bytes: number) => Promise<void>) => Promise<Content>;
}

interface Sized<Content> extends Growing<Content> {
  /** Of what is read for it. */
  readonly bytes: number;
  readonly read: () => Promise<Content>;
}

/**
 * An answer whose size is its data's: a large one waits for its user's turn, and is written piece by piece, since one
 * text of it all would keep everybody else waiting, and may be longer than a text can be.
 */
export const sizedResponse = <Answer>(slots: LargeResponses, sized: Sized<Answer>): Promise<Answer | StreamableFile> =>
  growingResponse(slots, grownAtOnce(sized));

/** As sizedAnswer, where only the reading tells the size. */
export const growingResponse = <Answer>(
  slots: LargeResponses,
  growing: Growing<Answer>,
): Promise<Answer | StreamableFile> =>
  respond(slots, growing, (answer) => {
    const pieces = stringifyChunked(answer, { highWaterMark: PIECE_SIZE });
    return new StreamableFile(piecemeal(growing.reply, pieces), { type: 'application/json; charset=utf-8' });
  });

/** As sizedAnswer, of bytes. */
export const sizedBytes = (slots: LargeResponses, sized: Sized<Buffer>): Promise<Buffer | StreamableFile> =>
  respond(
    slots,
    grownAtOnce(sized),
    (content) => new StreamableFile(piecemeal(sized.reply, slicesOf(content)), { length: content.length }),
  );

const grownAtOnce = <Content>({ bytes, read, ...rest }: Sized<Content>): Growing<Content> => ({
  ...rest,
  read: async (grow) => {
    await grow(bytes);
    return read();
  },
});

async function respond<Content>(
  slots: LargeResponses,
  { userId, reply, read }: Growing<Content>,
  inPieces: (content: Content) => StreamableFile,
): Promise<Content | StreamableFile> {
  let size = 0;
  const content = await read(async (bytes) => {
    const before = size;
    size += bytes;
    if (isLarge(size) && !isLarge(before)) await slots.acquire(userId, reply);
  });
  return isLarge(size) ? inPieces(content) : content;
}

function* slicesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_SIZE) yield content.subarray(at, at + PIECE_SIZE);
}

/** Whoever reads nothing of it does not hold it, and a turn, for ever. */
const piecemeal = (reply: FastifyReply, pieces: Iterable<string | Buffer>): Readable =>
  Readable.from(cutOffWhenStalled(reply, pieces), { objectMode: false, highWaterMark: PIECE_SIZE });
