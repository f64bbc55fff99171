import type { IncomingMessage } from 'node:http';

import type { FastifyRequest } from 'fastify';

import { withTimeout } from '../platform/async/timeout.js';
import { ByteLog } from '../platform/memory/byte-log.js';
import { HttpProblem } from './problem.js';
import { bodyTooLarge } from './request-content.js';
import { clientGone } from './response-end.js';

/** From the moment at which the server begins to read it: a client that sends slowly must not hold a slot for longer. */
const CONTENT_MS_MAX = 30_000;

/**
 * Reads the content of a request into memory of its own and of that size. Fastify collects the chunks and then joins
 * them: a body of 24 MiB took 48.
 * @param request with its headers and its limit
 * @throws HttpProblem 400, 408, 413 or 499
 */
export async function readContent(
  { headers, routeOptions: { bodyLimit } }: FastifyRequest,
  content: IncomingMessage,
  msMax = CONTENT_MS_MAX,
): Promise<Buffer> {
  const length = headers['content-length'];
  // checkContent has refused a length above the limit.
  const target = length === undefined ? new UnknownLength(bodyLimit) : new KnownLength(Number(length));
  const read = Promise.withResolvers<void>();
  const take = (chunk: Buffer): void => {
    try {
      target.add(chunk);
    } catch (error) {
      read.reject(error as Error);
    }
  };
  const end = (): void => read.resolve();
  const fail = (): void => read.reject(clientGone());
  content.on('data', take).on('end', end).on('error', fail);
  try {
    await withTimeout(read.promise, msMax, tooSlow);
    return target.whole();
  } finally {
    content.off('data', take).off('end', end).off('error', fail);
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
