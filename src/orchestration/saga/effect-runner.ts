import type { JobQueue } from '../../kernel/ports/job-queue.js';
import { streamName } from '../../kernel/event.js';
import type { Effect } from './effects.js';

/** Where dead letters are told of outside. */
export abstract class DeadLetters {
  /** May be repeated with the same id. @throws Unavailable */
  abstract publish(kind: string, id: string, body: unknown): Promise<void>;
}

export class EffectRunner {
  constructor(
    private readonly queue: JobQueue,
    private readonly deadLetters: DeadLetters,
  ) {}

  /** @throws Unavailable: the event is then handled again, and nothing is done twice by it */
  async run(effect: Effect): Promise<void> {
    switch (effect.type) {
      case 'enqueue':
        await this.queue.enqueue(effect.job);
        return;
      case 'withdraw':
        await this.queue.cancel(effect);
        return;
      case 'publish_dead_letter': {
        const { eventId, stream, type, data, position, recordedAt } = effect.event;
        const body = { stream: streamName(stream), type, data, position: String(position), recorded_at: recordedAt };
        await this.deadLetters.publish('execution', eventId, body);
      }
    }
  }
}
