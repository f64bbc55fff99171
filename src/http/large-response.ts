import { Readable } from 'node:stream';

import { stringifyChunked } from '@discoveryjs/json-ext';
import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { cutOffWhenStalled } from './stalled-client.js';
import type { LargeResponses } from './user-concurrency.js';

/** Bytes read for a response; below this, memory does not matter. */
const LARGE_BYTES_MIN = 256 * 1024;
/** The size of one piece, and of the buffer for a slow client; bytes or characters. */
const PIECE_SIZE = 64 * 1024;

export const isLargeResponse = (bytes: number): boolean => bytes >= LARGE_BYTES_MIN;

/**
 * Waits for the slot of a response before its data is read or written otherwise. Later it has the slot already.
 * @throws HttpProblem 429
 */
export async function waitForLargeResponse(
  slots: LargeResponses,
  { userId, reply, bytes }: { readonly userId: string; readonly reply: FastifyReply; readonly bytes: number },
): Promise<void> {
  if (isLargeResponse(bytes)) await slots.acquire(userId, reply);
}

interface Unsized<Content> {
  readonly userId: string;
  readonly reply: FastifyReply;
  /**
   * Reads the whole content before the response starts, so that a failure can still be an error response.
   * @param grow called with the number of additional bytes; waits for a slot when the response becomes large
   */
  readonly read: (grow: (bytes: number) => Promise<void>) => Promise<Content>;
}

interface Sized<Content> extends Unsized<Content> {
  /** Bytes read for the response. */
  readonly bytes: number;
  readonly read: () => Promise<Content>;
}

/**
 * A response whose size depends on its data. A large one waits for one of its user's slots and is written in pieces: a
 * single string would block all other requests, and may exceed the maximum string length.
 */
export const sizedResponse = <Content>(
  slots: LargeResponses,
  sized: Sized<Content>,
): Promise<Content | StreamableFile> => unsizedResponse(slots, asUnsized(sized));

/** Like sizedResponse, if the size is known only after reading. */
export const unsizedResponse = <Content>(
  slots: LargeResponses,
  growing: Unsized<Content>,
): Promise<Content | StreamableFile> =>
  respond(slots, growing, (content) => {
    const pieces = stringifyChunked(content, { highWaterMark: PIECE_SIZE });
    return new StreamableFile(streamOf(growing.reply, pieces), { type: 'application/json; charset=utf-8' });
  });

/** Like sizedResponse, for bytes. */
export const sizedBytes = (slots: LargeResponses, sized: Sized<Buffer>): Promise<Buffer | StreamableFile> =>
  respond(
    slots,
    asUnsized(sized),
    (content) => new StreamableFile(streamOf(sized.reply, slicesOf(content)), { length: content.length }),
  );

const asUnsized = <Content>({ bytes, read, ...rest }: Sized<Content>): Unsized<Content> => ({
  ...rest,
  read: async (grow) => {
    await grow(bytes);
    return read();
  },
});

async function respond<Content>(
  slots: LargeResponses,
  { userId, reply, read }: Unsized<Content>,
  inPieces: (content: Content) => StreamableFile,
): Promise<Content | StreamableFile> {
  let size = 0;
  const content = await read(async (bytes) => {
    const before = size;
    size += bytes;
    if (isLargeResponse(size) && !isLargeResponse(before)) await slots.acquire(userId, reply);
  });
  return isLargeResponse(size) ? inPieces(content) : content;
}

function* slicesOf(content: Buffer): Generator<Buffer> {
  for (let at = 0; at < content.length; at += PIECE_SIZE) yield content.subarray(at, at + PIECE_SIZE);
}

/** A client that stops reading is cut off, so that it does not hold the content and a slot without limit. */
const streamOf = (reply: FastifyReply, pieces: Iterable<string | Buffer>): Readable =>
  Readable.from(cutOffWhenStalled(reply, droppedAtEnd(pieces)), { objectMode: false, highWaterMark: PIECE_SIZE });

/**
 * Holds the pieces only until the last one. Nest keeps the first stream of a connection as long as that is open
 * (onResponseClose), and a generator that has ended keeps its arguments: 16 MiB for each idle connection.
 */
export function droppedAtEnd<Piece>(pieces: Iterable<Piece>): Iterable<Piece> {
  let left: Iterator<Piece> | null = pieces[Symbol.iterator]();
  const end = (): IteratorResult<Piece> => {
    left?.return?.();
    left = null;
    return { done: true, value: undefined };
  };
  const next = (): IteratorResult<Piece> => {
    const result = left?.next();
    return result?.done === false ? result : end();
  };
  return { [Symbol.iterator]: () => ({ next, return: end }) };
}
