import { SpanKind } from '@opentelemetry/api';
import type { JetStreamClient, PubAck } from 'nats';

import { asNatsUnavailable, isWrongLastSequence } from '../../platform/nats/nats-errors.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';
import { currentTraceparent, inSpan } from '../../platform/telemetry/trace-context.js';
import type { EventMetadata } from '../core/event.js';
import type { StoredEvent } from '../core/stored-event.js';
import { eventBody, eventHeaders, eventSubject } from './event-message.js';

/** Published and not yet acknowledged. Awaiting each one is 3–5 times slower. */
const IN_FLIGHT_MAX = 256;
/** An event older than this is published without a span: refilling a stream must not lengthen finished traces. */
export const SPAN_AGE_MS_MAX = 600_000;

export interface PublishOutcome {
  /** Of the last event that the stream accepted, null for none. */
  readonly position: bigint | null;
  readonly lastSequence: number;
  /** The first event that the stream knew already. It took no sequence, so the events behind it were refused. */
  readonly duplicate: StoredEvent | null;
  /** Another relay has published. */
  readonly refused: boolean;
}

type PublishResult = { event: StoredEvent; ack: PubAck } | { event: StoredEvent; error: unknown };

/** Publishes batches of events, pipelined. Each event expects the sequence that the one before it takes. */
export class EventPublisher {
  constructor(private readonly options: { readonly nats: NatsLink; readonly prefix: string }) {}

  /**
   * Stops at the first duplicate, refusal or failure, and returns (or throws) once nothing is in flight.
   * @throws Unavailable
   */
  async publish(
    events: readonly StoredEvent[],
    epoch: number,
    lastSequence: number,
    signal: AbortSignal,
  ): Promise<PublishOutcome> {
    const js = this.options.nats.jetstream();
    const inFlight: Promise<PublishResult>[] = [];
    const outcome = { position: null as bigint | null, lastSequence };
    let stopped: PublishResult | null = null;
    const settleOldest = async (): Promise<void> => {
      const result = await inFlight.shift()!;
      if (stopped) return;
      if ('error' in result || result.ack.duplicate) {
        stopped = result;
        return;
      }
      outcome.position = result.event.position;
      outcome.lastSequence = result.ack.seq;
    };
    for (const [index, event] of events.entries()) {
      if (stopped || signal.aborted) break;
      inFlight.push(this.publishOne(js, event, epoch, lastSequence + index));
      if (inFlight.length >= IN_FLIGHT_MAX) await settleOldest();
    }
    while (inFlight.length > 0) await settleOldest();
    return conclude(outcome, stopped);
  }

  /** Never rejects: results are handled in order, some of them long after they arrived. */
  private async publishOne(
    js: JetStreamClient,
    event: StoredEvent,
    epoch: number,
    lastSequence: number,
  ): Promise<PublishResult> {
    const appended = (JSON.parse(event.metadata) as EventMetadata).traceparent;
    const send = (traceparent: string | undefined): Promise<PubAck> =>
      js.publish(eventSubject(this.options.prefix, event), eventBody(event), {
        msgID: event.eventId,
        headers: eventHeaders(this.options.prefix, event, epoch, traceparent),
        expect: { lastSequence },
      });
    try {
      if (appended === undefined || Date.now() - Date.parse(event.recordedAt) > SPAN_AGE_MS_MAX) {
        return { event, ack: await send(appended) };
      }
      const attributes = { 'voidrunner.event': event.type, 'voidrunner.position': event.position.toString() };
      const options = { kind: SpanKind.PRODUCER, attributes, traceparent: appended };
      return { event, ack: await inSpan('relay.publish', options, () => send(currentTraceparent() ?? appended)) };
    } catch (error) {
      return { event, error };
    }
  }
}

function conclude(
  outcome: { position: bigint | null; lastSequence: number },
  stopped: PublishResult | null,
): PublishOutcome {
  if (stopped === null) return { ...outcome, duplicate: null, refused: false };
  if (!('error' in stopped)) return { ...outcome, duplicate: stopped.event, refused: false };
  if (isWrongLastSequence(stopped.error)) return { ...outcome, duplicate: null, refused: true };
  throw asNatsUnavailable(stopped.error);
}
