import type { IncomingMessage } from 'node:http';

import type { FastifyRequest } from 'fastify';

import { withTimeout } from '../platform/async/timeout.js';
import { ByteLog } from '../platform/memory/byte-log.js';
import { HttpProblem } from './problem.js';
import { bodyTooLarge } from './request-content.js';
import { clientGone } from './response-end.js';

/** From the moment at which the server begins to read it: a client that sends slowly must not hold a slot for longer. */
export const CONTENT_MS_MAX = 30_000;

/**
 * Reads the content of a request into memory of its own and of that size. Fastify collects the chunks and then joins
 * them: a body of 24 MiB took 48.
 * @param request with its headers and its limit
 * @throws HttpProblem 400, 408, 413 or 499
 */
export async function readContent(
  { headers, routeOptions: { bodyLimit } }: FastifyRequest,
  content: IncomingMessage,
  msMax: number,
): Promise<Buffer> {
  const length = headers['content-length'];
  // checkContent has refused a length above the limit.
  const target = length === undefined ? new UnknownLength(bodyLimit) : new KnownLength(Number(length));
  await eachChunk(content, msMax, (chunk) => target.add(chunk));
  return target.whole();
}

/**
 * Resolves at the end of the content.
 * @param take throws to stop
 * @throws HttpProblem 408 or 499, and what `take` throws
 */
export async function eachChunk(content: IncomingMessage, msMax: number, take: (chunk: Buffer) => void): Promise<void> {
  // Its events are over: nothing would ever report that the client has disconnected.
  if (content.destroyed) throw clientGone();
  const read = Promise.withResolvers<void>();
  const add = (chunk: Buffer): void => {
    try {
      take(chunk);
    } catch (error) {
      read.reject(error as Error);
    }
  };
  const end = (): void => read.resolve();
  const fail = (): void => read.reject(clientGone());
  content.on('data', add).on('end', end).on('error', fail).on('close', fail);
  try {
    await withTimeout(read.promise, msMax, tooSlow);
  } finally {
    content.off('data', add).off('end', end).off('error', fail).off('close', fail);
  }
}

class KnownLength {
  private bytes: Buffer | null = null;
  private used = 0;

  constructor(private readonly length: number) {}

  add(chunk: Buffer): void {
    // Not before the first chunk: a head alone costs no memory.
    this.bytes ??= Buffer.allocUnsafeSlow(this.length);
    if (this.used + chunk.length > this.length) throw wrongLength();
    this.bytes.set(chunk, this.used);
    this.used += chunk.length;
  }

  whole(): Buffer {
    if (this.used !== this.length) throw wrongLength();
    return this.bytes ?? Buffer.alloc(0);
  }
}

class UnknownLength {
  private readonly log = new ByteLog();

  constructor(private readonly bytesMax: number) {}

  add(chunk: Buffer): void {
    if (this.log.length + chunk.length > this.bytesMax) throw bodyTooLarge();
    this.log.add(chunk);
  }

  whole(): Buffer {
    return this.log.whole();
  }
}

const wrongLength = (): HttpProblem => new HttpProblem(400, 'malformed_request', 'Malformed request');

const tooSlow = (): HttpProblem => new HttpProblem(408, 'request_timeout', 'Request Timeout');
