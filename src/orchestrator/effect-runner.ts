import type { JobQueue } from '../queue/job-queue.js';
import type { Effect } from './effects.js';

export class EffectRunner {
  constructor(private readonly queue: JobQueue) {}

  /** Idempotent. @throws Unavailable: the event is then handled again */
  async run(effect: Effect): Promise<void> {
    switch (effect.type) {
      case 'enqueue':
        await this.queue.enqueue(effect.job);
        return;
      case 'withdraw':
        await this.queue.cancel(effect);
    }
  }
}
