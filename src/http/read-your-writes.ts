import type { FastifyReply, FastifyRequest } from 'fastify';

/** Waits for the read models. */
export abstract class Visibility {
  /** Resolves when they have reached the position, or after the timeout. @returns their position at that time */
  abstract waitFor(position: bigint, timeoutMs: number): Promise<{ reached: boolean; position: bigint }>;
}

/** Read-your-writes consistency: a user's reads include the user's earlier writes. */
export class ReadYourWrites {
  /** @param waitMsMax then the response is sent anyway: the write is recorded, but not visible everywhere yet */
  constructor(
    private readonly visibility: Visibility,
    private readonly waitMsMax: number,
  ) {}

  /** @param position of the write; null if nothing was written */
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
