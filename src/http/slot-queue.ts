import type { FastifyReply } from 'fastify';

import type { HttpProblem } from './problem.js';
import { clientGone, onResponseEnd } from './response-end.js';

export interface SlotQueueOptions {
  readonly concurrentMax: number;
  /** The next request that would wait is refused. */
  readonly waitingMax: number;
  /** A request that has waited for this time is refused. */
  readonly waitMsMax: number;
}

/** A limited number of slots for requests; further requests wait, first come, first served. */
export class SlotQueue {
  private running = 0;
  private readonly queue = new Set<() => void>();

  /** @param refusal the error for a request that gets no slot */
  constructor(
    private readonly options: SlotQueueOptions,
    private readonly refusal: () => HttpProblem,
  ) {}

  /** Requests that wait for a slot. */
  get waiting(): number {
    return this.queue.size;
  }

  get isIdle(): boolean {
    return this.running === 0;
  }

  /**
   * Resolves when the request has a slot.
   * @returns a function that releases it; may be called again
   * @throws HttpProblem the refusal, or 499 if the client disconnects while it waits
   */
  async take(reply: Pick<FastifyReply, 'raw'>): Promise<() => void> {
    if (this.running < this.options.concurrentMax) this.running += 1;
    else await this.untilFree(reply);
    let isReleased = false;
    return () => {
      if (isReleased) return;
      isReleased = true;
      this.release();
    };
  }

  private async untilFree(reply: Pick<FastifyReply, 'raw'>): Promise<void> {
    const { queue, options } = this;
    if (queue.size >= options.waitingMax) throw this.refusal();
    const slot = Promise.withResolvers<void>();
    // A request that gives up leaves the queue and never gets a slot.
    const giveUp = (error: Error): void => {
      if (queue.delete(slot.resolve)) slot.reject(error);
    };
    queue.add(slot.resolve);
    const tooLong = setTimeout(() => giveUp(this.refusal()), options.waitMsMax).unref();
    const forget = onResponseEnd(reply, () => giveUp(clientGone()));
    try {
      await slot.promise;
    } finally {
      clearTimeout(tooLong);
      forget();
    }
  }

  private release(): void {
    // The slot passes directly to the next waiting request, so a new request cannot take it in between.
    for (const next of this.queue) {
      this.queue.delete(next);
      next();
      return;
    }
    this.running -= 1;
  }
}
