import { SpanKind } from '@opentelemetry/api';

import { type Delivery, type RecordedEvent, streamName } from '../event-sourcing/core/event.js';
import type { SubscriptionHandler } from '../event-sourcing/subscription/subscription-handler.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import { ExecutionDeadLettered } from '../tasks/domain/execution-events.js';

/** Publishes dead letters to the outside. */
export abstract class DeadLetters {
  /** May be repeated with the same id. @throws Unavailable */
  abstract publish(kind: string, id: string, body: unknown): Promise<void>;
}

/**
 * Publishes every execution that becomes a dead letter. It has its own subscription and is not an effect of the
 * orchestrator: there, one letter held up every later job until NATS was back. Here only letters wait for NATS.
 *
 * It starts at position 0, even if the orchestrator has already published letters. They are published once more, which
 * does no harm. A start at the orchestrator's checkpoint would lose letters that the orchestrator passes before this
 * subscription starts. After a restore it continues at the log's end (no `reset`): earlier letters have been published.
 */
export class DeadLetterNotices implements SubscriptionHandler {
  constructor(private readonly deadLetters: DeadLetters) {}

  concerns({ type }: Pick<RecordedEvent, 'type'>): boolean {
    return type === ExecutionDeadLettered.type;
  }

  async runEffects(deliveries: readonly Delivery[], signal: AbortSignal): Promise<void> {
    for (const delivery of deliveries) {
      signal.throwIfAborted();
      await this.publish(delivery);
    }
  }

  /** In the trace of the event. */
  private async publish({ event, traceparent }: Delivery): Promise<void> {
    const { eventId, stream, type, data, position, recordedAt } = event;
    const body = { stream: streamName(stream), type, data, position: String(position), recorded_at: recordedAt };
    const attributes = { 'voidrunner.event': type, 'voidrunner.position': String(position) };
    await inSpan('dead_letters.publish', { kind: SpanKind.CONSUMER, attributes, traceparent }, () =>
      this.deadLetters.publish('execution', eventId, body),
    );
  }
}
