import { AckPolicy, type ConsumerMessages, DeliverPolicy, type JsMsg, nanos } from 'nats';

import { delay } from '../../platform/async/delay.js';
import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import { isConsumerMissing } from '../../platform/nats/nats-errors.js';
import type { NatsLink } from '../../platform/nats/nats-link.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { EventCatalog } from '../core/event-catalog.js';
import type { Delivery } from '../core/event.js';
import { deliveryOfMessage, EventHeader } from '../relay/event-message.js';
import type { EventsStream } from '../relay/events-stream.js';
import { Acknowledgement } from './acknowledgement.js';

export interface EventDeliveryOptions {
  readonly nats: NatsLink;
  readonly stream: EventsStream;
  readonly catalog: EventCatalog;
  /** The durable consumer's name: the subscription's. */
  readonly consumer: string;
  readonly log: Log;
}

/** Delivered and not acknowledged: this also bounds the buffer here. */
const UNACKNOWLEDGED_MAX = 1_000;
const PULL_MESSAGES_MAX = 500;
const PULL_EXPIRES_MS = 10_000;
const IDLE_HEARTBEAT_MS = 1_000;
/** Longer than any batch should take; a redelivery costs a message but does no harm. */
const ACK_WAIT_MS = 30_000;
const RESTART_DELAY_MS = 250;
const CLOSED_BY_LOSS = 'a consumer that fails to close has lost its connection, which ends it';

/**
 * The JetStream side of a subscription: a durable pull consumer that fills a small buffer, ordered by position. Events
 * that it does not deliver are read from Postgres instead, so it may fail in any way.
 */
export class EventDelivery {
  private readonly buffer = new Map<bigint, JsMsg>();
  private messages: ConsumerMessages | null = null;
  private newestDropped: JsMsg | null = null;
  private readonly acknowledgement = new Acknowledgement();

  constructor(private readonly options: EventDeliveryOptions) {}

  get connected(): boolean {
    return this.messages !== null && this.options.nats.connected;
  }

  /** Consumes until the signal aborts. Never throws. */
  async run(
    signal: AbortSignal,
    at: { epoch: number; checkpoint: () => bigint; onDelivery: () => void },
  ): Promise<void> {
    const stopped = aborted(signal);
    while (!signal.aborted) {
      try {
        // NATS may take seconds to respond; a stop does not wait for it.
        await Promise.race([this.consume(signal, at), stopped]);
      } catch (error) {
        if (!signal.aborted)
          this.options.log.debug({ err: error, consumer: this.options.consumer }, 'delivery interrupted');
      } finally {
        this.acknowledgement.send();
        this.messages = null;
        this.buffer.clear();
        this.newestDropped = null;
      }
      await delay(RESTART_DELAY_MS, { signal });
    }
  }

  /** Starts over, for a consumer that delivers nothing although it should. */
  restart(): void {
    if (this.messages) void ignoreErrors(this.messages.close(), CLOSED_BY_LOSS);
  }

  /** The buffered events right after the checkpoint. They stay until `acknowledgeUpTo`. */
  next(checkpoint: bigint, limit: number): Delivery[] {
    const { catalog } = this.options;
    const run: Delivery[] = [];
    for (let position = checkpoint + 1n; run.length < limit; position += 1n) {
      const message = this.buffer.get(position);
      if (!message) break;
      run.push(deliveryOfMessage(catalog, message.string(), message.headers?.get(EventHeader.traceparent)));
    }
    return run;
  }

  /** Whether later events are buffered, but not the next one: a gap, to be filled from Postgres. */
  hasGap(checkpoint: bigint): boolean {
    return this.buffer.size > 0 && !this.buffer.has(checkpoint + 1n);
  }

  /** Called after the commit, so that a crash in between costs a redelivery, not an event. */
  acknowledgeUpTo(checkpoint: bigint): void {
    let done = this.newestDropped;
    let firstOpen = Number.POSITIVE_INFINITY;
    const before = this.buffer.size;
    for (const [position, message] of this.buffer) {
      if (position > checkpoint) {
        firstOpen = Math.min(firstOpen, message.seq);
        continue;
      }
      this.buffer.delete(position);
      if (!done || (message.seq > done.seq && message.seq < firstOpen)) done = message;
    }
    if (!done || done.seq > firstOpen) return;
    this.newestDropped = null;
    this.acknowledgement.acknowledge(done, Math.max(1, before - this.buffer.size));
  }

  private async consume(
    signal: AbortSignal,
    at: { epoch: number; checkpoint: () => bigint; onDelivery: () => void },
  ): Promise<void> {
    const { nats, stream, consumer } = this.options;
    await this.ensureConsumer(at.checkpoint(), signal);
    const handle = await nats.jetstream().consumers.get(stream.name, consumer);
    if (signal.aborted) return;
    const messages = await handle.consume({
      max_messages: PULL_MESSAGES_MAX,
      expires: PULL_EXPIRES_MS,
      idle_heartbeat: IDLE_HEARTBEAT_MS,
      abort_on_missing_resource: true,
      callback: (message) => this.receive(message, at),
    });
    this.messages = messages;
    const stop = (): void => void ignoreErrors(messages.close(), CLOSED_BY_LOSS);
    signal.addEventListener('abort', stop, { once: true });
    try {
      if (signal.aborted) stop();
      await messages.closed();
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  private receive(message: JsMsg, at: { epoch: number; checkpoint: () => bigint; onDelivery: () => void }): void {
    const position = BigInt(message.headers?.get(EventHeader.position) || 0);
    const epoch = Number(message.headers?.get(EventHeader.epoch));
    if (epoch !== at.epoch || position <= at.checkpoint() || this.buffer.has(position)) {
      // Acknowledged with the next batch, or at once if the buffer is empty.
      this.newestDropped = message;
      if (this.buffer.size === 0) this.acknowledgeUpTo(0n);
      return;
    }
    this.buffer.set(position, message);
    at.onDelivery();
  }

  /** A new consumer starts near the checkpoint, not at the beginning of the log. */
  private async ensureConsumer(checkpoint: bigint, signal: AbortSignal): Promise<void> {
    const { nats, stream, consumer } = this.options;
    const manager = await nats.manager();
    const found = await manager.consumers.info(stream.name, consumer).catch((error: unknown) => {
      if (isConsumerMissing(error)) return null;
      throw error;
    });
    if (found) return;
    const startAt = await this.startAt(checkpoint);
    // A stop does not wait for this: a consumer created after it would have no owner.
    if (signal.aborted) return;
    await manager.consumers.add(stream.name, {
      durable_name: consumer,
      ack_policy: AckPolicy.All,
      ack_wait: nanos(ACK_WAIT_MS),
      max_ack_pending: UNACKNOWLEDGED_MAX,
      ...startAt,
    });
  }

  /**
   * In a dense stream the sequence follows from the position. If the stream holds a position twice, the guess is too
   * early, and the checkpoint drops the surplus. If messages were deleted, it is too late, and Postgres fills the gap.
   */
  private async startAt(checkpoint: bigint): Promise<{ deliver_policy: DeliverPolicy; opt_start_seq?: number }> {
    const first = await this.options.stream.first();
    if (!first || first.position > checkpoint) return { deliver_policy: DeliverPolicy.All };
    const sequence = first.sequence + Number(checkpoint + 1n - first.position);
    return {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: Math.min(sequence, first.lastSequence + 1),
    };
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
