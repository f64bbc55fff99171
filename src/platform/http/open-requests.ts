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
  private readonly byUser = new Map<string, Set<AbortController>>();
  private stopping = false;

  constructor(private readonly perUserMax: number) {}

  /** Of all users, now. */
  get count(): number {
    let count = 0;
    for (const { size } of this.byUser.values()) count += size;
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
    const open = this.byUser.get(userId) ?? new Set();
    if (open.size >= this.perUserMax) throw tooMany(this.perUserMax);
    const ending = new AbortController();
    const end = () => ending.abort();
    this.byUser.set(userId, open.add(ending));
    reply.raw.once('close', end);
    if (this.stopping) end();
    try {
      return await work(ending.signal);
    } finally {
      reply.raw.off('close', end);
      open.delete(ending);
      if (open.size === 0) this.byUser.delete(userId);
    }
  }

  /** Before the server stops listening, so that those who wait are answered in time. */
  onModuleDestroy(): void {
    this.stopping = true;
    for (const open of this.byUser.values()) for (const ending of open) ending.abort();
  }
}

const tooMany = (max: number): HttpProblem =>
  new HttpProblem(429, 'too_many_open_requests', `At most ${max} requests may wait or follow at once`, {
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
