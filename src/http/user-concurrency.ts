import type { FastifyReply, FastifyRequest } from 'fastify';

import { HttpProblem } from './problem.js';
import { onResponseEnd } from './response-end.js';
import { SlotQueue, type SlotQueueOptions } from './slot-queue.js';

/** Of one user each. */
export interface UserConcurrencyOptions extends SlotQueueOptions {
  /** The name of the limit in a refusal. */
  readonly name: string;
}

/** Retry-After of a refusal. */
const RETRY_AFTER_SECONDS = 1;

/**
 * Limits the concurrent requests of each user; further requests wait for a slot, first come, first served. Users do not
 * wait for one another: a user who sends two thousand requests at once delays only their own.
 */
export class UserConcurrencyLimit {
  private readonly queues = new Map<string, SlotQueue>();

  constructor(private readonly options: UserConcurrencyOptions) {}

  /** Requests of all users that wait for a slot. */
  get waiting(): number {
    let count = 0;
    for (const queue of this.queues.values()) count += queue.waiting;
    return count;
  }

  /**
   * Resolves when the request has a slot. The slot is released when the response is sent or the client disconnects.
   * @returns a function that releases the slot earlier
   * @throws HttpProblem 429 if too many requests wait, or this one has waited too long
   */
  async acquire(userId: string, reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    const leave = await this.take(userId, reply);
    const forget = onResponseEnd(reply, leave);
    return () => {
      forget();
      leave();
    };
  }

  /** Like acquire, but only the returned function releases the slot. */
  async take(userId: string, reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    const queue = this.queues.get(userId) ?? new SlotQueue(this.options, () => this.refusal());
    this.queues.set(userId, queue);
    const release = await queue.take(reply);
    return () => {
      release();
      if (queue.isIdle && this.queues.get(userId) === queue) this.queues.delete(userId);
    };
  }

  private refusal(): HttpProblem {
    const { name, concurrentMax: atOnce, waitingMax } = this.options;
    return new HttpProblem(429, 'concurrent_requests_exceeded', 'Rate limit exceeded', {
      details: { limit: name, max: atOnce + waitingMax },
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    });
  }
}

/** Limits responses that need much memory. A response has one slot, however often it asks. */
export class LargeResponses extends UserConcurrencyLimit {
  private readonly held = new WeakMap<object, Promise<() => void>>();

  override acquire(userId: string, reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    const slot = this.held.get(reply.raw) ?? super.acquire(userId, reply);
    this.held.set(reply.raw, slot);
    return slot;
  }
}

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
