import { SpanKind } from '@opentelemetry/api';

import { ExecutionDeadLettered } from '../tasks/domain/execution-events.js';
import { streamName } from '../event-sourcing/core/event.js';
import type { DeliveredEvent, SubscriptionHandler } from '../event-sourcing/subscription/subscription-handler.js';
import { inSpan } from '../platform/telemetry/trace-context.js';

/** Where dead letters are told of outside. */
export abstract class DeadLetters {
  /** May be repeated with the same id. @throws Unavailable */
  abstract publish(kind: string, id: string, body: unknown): Promise<void>;
}

/**
 * Tells of every run that became a dead letter. A subscription of its own rather than an effect of the orchestrator:
 * there, one letter held up every later job until NATS was back. Here only letters wait for it.
 *
 * It begins at 0, also where the orchestrator has told of letters already: they are told of again, once, which harms
 * nobody, while a beginning at the orchestrator's checkpoint would lose those that it passes before this one starts.
 * After a restore it goes on at the log's end (no `reset`): what comes before has been told.
 */
export class DeadLetterNotices implements SubscriptionHandler {
  constructor(private readonly deadLetters: DeadLetters) {}

  concerns({ type }: Pick<DeliveredEvent, 'type'>): boolean {
    return type === ExecutionDeadLettered.type;
  }

  async act(events: readonly DeliveredEvent[], signal: AbortSignal): Promise<void> {
    for (const event of events) {
      signal.throwIfAborted();
      await this.publish(event);
    }
  }

  /** In the trace of the event. */
  private async publish({ eventId, stream, type, data, position, recordedAt, traceparent }: DeliveredEvent) {
    const body = { stream: streamName(stream), type, data, position: String(position), recorded_at: recordedAt };
    const attributes = { 'voidrunner.event': type, 'voidrunner.position': String(position) };
    await inSpan('dead_letters.publish', { kind: SpanKind.CONSUMER, attributes, traceparent }, () =>
      this.deadLetters.publish('execution', eventId, body),
    );
  }
}
