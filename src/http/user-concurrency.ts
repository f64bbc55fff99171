import type { FastifyReply, FastifyRequest } from 'fastify';

import { clientGone, onResponseEnd } from './response-end.js';
import { HttpProblem } from './problem.js';

export interface UserConcurrencyOptions {
  /** What is counted, as a refusal names it. */
  readonly name: string;
  /** Of one user at a time. */
  readonly concurrentMax: number;
  /** Of one user, behind those; the next one is refused. */
  readonly waitingMax: number;
  /** Who has waited for as long is refused. */
  readonly waitMsMax: number;
}

/** A waiting request is told to come again this soon. */
const RETRY_AFTER_SECONDS = 1;

interface UserQueue {
  running: number;
  readonly waiting: Set<() => void>;
}

/**
 * So many requests of each user at a time; the next ones wait for their turn, first come, first served. Users do not
 * wait for one another: whoever sends two thousand at once is ahead of nobody but himself.
 */
export class UserConcurrencyLimit {
  private readonly queues = new Map<string, UserQueue>();

  constructor(private readonly options: UserConcurrencyOptions) {}

  /** Requests of all users that wait for their turn. */
  get waiting(): number {
    let count = 0;
    for (const line of this.queues.values()) count += line.waiting.size;
    return count;
  }

  /**
   * Resolves when the turn has come, which ends with the answer, or with the client.
   * @returns ends it before
   * @throws HttpProblem 429 where too many wait, or for too long
   */
  async acquire(userId: string, reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    const line = this.queues.get(userId) ?? { running: 0, waiting: new Set() };
    this.queues.set(userId, line);
    if (line.running < this.options.concurrentMax) line.running += 1;
    else await this.waitForSlot(line, reply);
    let isOver = false;
    const leave = (): void => {
      if (isOver) return;
      isOver = true;
      this.release(userId, line);
    };
    const forget = onResponseEnd(reply, leave);
    return () => {
      forget();
      leave();
    };
  }

  private async waitForSlot({ waiting }: UserQueue, reply: Pick<FastifyReply, 'raw'>): Promise<void> {
    const { waitingMax, waitMsMax } = this.options;
    if (waiting.size >= waitingMax) throw this.refusal();
    const turn = Promise.withResolvers<void>();
    // Whoever gives up is passed over, and never has the turn.
    const giveUp = (error: Error): void => {
      if (waiting.delete(turn.resolve)) turn.reject(error);
    };
    waiting.add(turn.resolve);
    const tooLong = setTimeout(() => giveUp(this.refusal()), waitMsMax).unref();
    const forget = onResponseEnd(reply, () => giveUp(clientGone()));
    try {
      await turn.promise;
    } finally {
      clearTimeout(tooLong);
      forget();
    }
  }

  private release(userId: string, line: UserQueue): void {
    // Its place is handed on, not given back: a newcomer cannot slip in between.
    for (const next of line.waiting) {
      line.waiting.delete(next);
      next();
      return;
    }
    line.running -= 1;
    if (line.running === 0) this.queues.delete(userId);
  }

  private refusal(): HttpProblem {
    const { name, concurrentMax: atOnce, waitingMax } = this.options;
    return new HttpProblem(429, 'concurrent_requests_exceeded', 'Rate limit exceeded', {
      details: { limit: name, max: atOnce + waitingMax },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}

/** Answers that take more memory than others. */
export class LargeResponses extends UserConcurrencyLimit {}

/** Of a request that is worked on: ends its turn. */
const slots = new WeakMap<object, () => void>();

export async function acquireSlot(
  requests: UserConcurrencyLimit,
  userId: string,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  slots.set(request.raw, await requests.acquire(userId, reply));
}

/** A request that waits, or follows something live, is no longer worked on: others of its user may be. */
export const releaseSlot = ({ raw }: FastifyRequest): void => slots.get(raw)?.();
