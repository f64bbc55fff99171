import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply } from 'fastify';

import { HttpProblem } from './problem.js';

/** What a refused client is told to wait: until then some of its own requests may have ended. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Requests that are answered only when something happens (waits, follows): so many at once for each user in this
 * process, each with a signal that says when there is nobody left to answer, or no time to.
 */
@Injectable()
export class OpenRequests implements OnModuleDestroy {
  private readonly heldBy = new Map<string, number>();
  private readonly stopping = new AbortController();

  constructor(private readonly perUserMax: number) {}

  /** Of all users, now. */
  get count(): number {
    let count = 0;
    for (const held of this.heldBy.values()) count += held;
    return count;
  }

  /**
   * Does `work`, counted as the user's until it is done. Its signal is aborted when the client has gone or the process
   * stops; it should then end soon, in the second case with what it has.
   * @throws HttpProblem 429 where the user has too many open already; nothing was done
   */
  async hold<Result>(
    userId: string,
    reply: Pick<FastifyReply, 'raw'>,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> {
    const held = this.heldBy.get(userId) ?? 0;
    if (held >= this.perUserMax) throw tooMany(this.perUserMax);
    this.heldBy.set(userId, held + 1);
    const gone = new AbortController();
    const leave = () => gone.abort();
    reply.raw.once('close', leave);
    try {
      return await work(AbortSignal.any([gone.signal, this.stopping.signal]));
    } finally {
      reply.raw.off('close', leave);
      this.release(userId);
    }
  }

  /** Before the server stops listening, so that those who wait are answered in time. */
  onModuleDestroy(): void {
    this.stopping.abort();
  }

  private release(userId: string): void {
    const left = this.heldBy.get(userId)! - 1;
    if (left === 0) this.heldBy.delete(userId);
    else this.heldBy.set(userId, left);
  }
}

const tooMany = (max: number): HttpProblem =>
  new HttpProblem(429, 'too_many_open_requests', `At most ${max} requests may wait or follow at once`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
