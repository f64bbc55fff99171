import type { FastifyReply, FastifyRequest } from 'fastify';

/** Tells when the read models hold a position. */
export abstract class Visibility {
  /** Resolves once they do, or when the time is up. @returns how far they are, and whether that is far enough */
  abstract waitFor(position: bigint, timeoutMs: number): Promise<{ reached: boolean; position: bigint }>;
}

/** "Your own writes are there when you read." */
export class ReadYourWrites {
  /** @param waitMsMax after that a write is answered anyway: it is recorded, only not to be read everywhere yet */
  constructor(
    private readonly visibility: Visibility,
    private readonly waitMsMax: number,
  ) {}

  /** @param position of the write; null where nothing was written */
  async waitUntilReadable(position: bigint | null, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (position === null || prefersNotToWait(request)) return;
    const { reached, position: readable } = await this.visibility.waitFor(position, this.waitMsMax);
    if (!reached) void reply.header('x-read-position', String(readable));
  }
}

/** RFC 7240, section 4.1. */
function prefersNotToWait(request: FastifyRequest): boolean {
  const prefer = request.headers.prefer;
  return typeof prefer === 'string' && prefer.split(',').some((part) => part.trim().toLowerCase() === 'respond-async');
}
