import type { FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';
import { clientGone, onResponseEnd } from './response-end.js';

export interface UserConcurrencyOptions {
  /** The name of the limit in a refusal. */
  readonly name: string;
  /** Concurrent requests of one user. */
  readonly concurrentMax: number;
  /** Waiting requests of one user; the next one is refused. */
  readonly waitingMax: number;
  /** A request that has waited for this time is refused. */
  readonly waitMsMax: number;
}

/** Retry-After of a refusal. */
const RETRY_AFTER_SECONDS = 1;

interface UserQueue {
  running: number;
  readonly waiting: Set<() => void>;
}

/**
 * Limits the concurrent requests of each user; further requests wait for a slot, first come, first served. Users do not
 * wait for one another: a user who sends two thousand requests at once delays only their own.
 */
export class UserConcurrencyLimit {
  private readonly queues = new Map<string, UserQueue>();

  constructor(private readonly options: UserConcurrencyOptions) {}

  /** Requests of all users that wait for a slot. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.queues.values()) count += queue.waiting.size;
    return count;
  }

  /**
   * Resolves when the request has a slot. The slot is released when the response is sent or the client disconnects.
   * @returns a function that releases the slot earlier
   * @throws HttpProblem 429 if too many requests wait, or this one has waited too long
   */
  async acquire(userId: string, reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    const queue = this.queues.get(userId) ?? { running: 0, waiting: new Set() };
    this.queues.set(userId, queue);
    if (queue.running < this.options.concurrentMax) queue.running += 1;
    else await this.waitForSlot(queue, reply);
    let isReleased = false;
    const leave = (): void => {
      if (isReleased) return;
      isReleased = true;
      this.release(userId, queue);
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
    const slot = Promise.withResolvers<void>();
    // A request that gives up leaves the queue and never gets a slot.
    const giveUp = (error: Error): void => {
      if (waiting.delete(slot.resolve)) slot.reject(error);
    };
    waiting.add(slot.resolve);
    const tooLong = setTimeout(() => giveUp(this.refusal()), waitMsMax).unref();
    const forget = onResponseEnd(reply, () => giveUp(clientGone()));
    try {
      await slot.promise;
    } finally {
      clearTimeout(tooLong);
      forget();
    }
  }

  private release(userId: string, queue: UserQueue): void {
    // The slot passes directly to the next waiting request, so a new request cannot take it in between.
    for (const next of queue.waiting) {
      queue.waiting.delete(next);
      next();
      return;
    }
    queue.running -= 1;
    if (queue.running === 0) this.queues.delete(userId);
  }

  private refusal(): HttpProblem {
    const { name, concurrentMax: atOnce, waitingMax } = this.options;
    return new HttpProblem(429, 'concurrent_requests_exceeded', 'Rate limit exceeded', {
      details: { limit: name, max: atOnce + waitingMax },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}

/** Limits responses that need much memory. */
export class LargeResponses extends UserConcurrencyLimit {}

/** By request: the function that releases its slot. */
const slots = new WeakMap<object, () => void>();

export async function acquireSlot(
  requests: UserConcurrencyLimit,
  userId: string,
  request: FastifyRequest,
  reply: FastifyReply,
) {
  slots.set(request.raw, await requests.acquire(userId, reply));
}

/** A request that waits or follows a stream releases its slot for other requests of its user. */
export const releaseSlot = ({ raw }: FastifyRequest): void => slots.get(raw)?.();
