import { delay } from '../../platform/async/delay.js';
import { Wakeup } from '../../platform/async/wakeup.js';
import type { LeaderLock } from '../../platform/postgres/leader-lock.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { StoredEvent } from '../core/stored-event.js';
import type { RecentEvents } from '../event-store/recent-events.js';
import type { AppendSignal } from './append-signal.js';
import type { EventPublisher } from './event-publisher.js';
import type { EventsStream, StreamTail } from './events-stream.js';
import type { StoredEventReader } from './stored-event-reader.js';

export interface EventRelayOptions {
  readonly events: StoredEventReader;
  /** Events that this process has just recorded itself. */
  readonly recent?: Pick<RecentEvents, 'after' | 'forget'>;
  readonly stream: EventsStream;
  readonly publisher: EventPublisher;
  readonly lock: LeaderLock;
  readonly appends: Pick<AppendSignal, 'onAppend'>;
  /** The lowest position that all subscriptions have processed: an empty stream need not hold events up to it. */
  readonly leastCheckpoint: () => Promise<bigint>;
  readonly log: Log;
  readonly pollIntervalMs?: number;
  /**
   * Whether processes without `recent` wait for events. If not, and there are not many, they are held for a moment, and
   * published together.
   */
  readonly isAwaited?: () => boolean;
  /** How long such events are held. */
  readonly hold?: (signal: AbortSignal) => Promise<void>;
}

/** Events read and published at a time. */
const BATCH_EVENTS_MAX = 500;
const POLL_INTERVAL_MS = 250;
/** Each publication wakes NATS, and this process for the acknowledgements: for one event as for twenty. */
const HOLD_MS = 50;
/** How often an idle relay checks that its stream still exists and ends where it left it. */
const STREAM_CHECK_INTERVAL_MS = 2_000;
const RETRY_DELAY_MS_MIN = 50;
const RETRY_DELAY_MS_MAX = 1_000;
/** About a minute. */
const FAILURES_PER_WARNING = 60;

/** The known end of the stream, from which the relay continues. */
interface Cursor {
  /** The last position that the stream holds, or need not hold. */
  position: bigint;
  lastSequence: number;
  epoch: number;
}

/**
 * Carries committed events from Postgres to JetStream, in order. It stores nothing itself: it resumes from the last
 * message of the stream, so a crash between commit and publish, or between publish and acknowledgement, loses nothing.
 * The expected last sequence fences a second relay; the checkpoints of the consumers make delivery safe.
 */
export class EventRelay {
  private readonly wakeup = new Wakeup();
  /** Events exist up to here: they were read or announced. An append is announced twice in its own process. */
  private knownUpTo = 0n;
  /** Something was appended at an unknown position. */
  private mustRead = false;
  /** In a row. Finding the end of the stream is no success yet; publishing an event, or having none to publish, is. */
  private failures = 0;

  constructor(private readonly options: EventRelayOptions) {}

  /** Relays whenever it leads, until the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = this.options.appends.onAppend((position) => {
      if (position === null) this.mustRead = true;
      else if (position <= this.knownUpTo) return;
      else this.knownUpTo = position;
      this.wakeup.wake();
    });
    try {
      await this.options.lock.run(signal, (lead) => this.relay(lead));
    } finally {
      stop();
    }
  }

  /** Relays without contending for leadership; the expected last sequence is the fence. Exposed for tests. */
  async relay(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.follow(await this.locate(), signal);
      } catch (error) {
        // NATS is unavailable, or the stream was deleted: either way, the end of the stream is located again.
        if (this.failures % FAILURES_PER_WARNING === 0) this.options.log.warn({ err: error }, 'relay interrupted');
        const delayMs = Math.min(RETRY_DELAY_MS_MAX, RETRY_DELAY_MS_MIN * 2 ** Math.min(this.failures, 10));
        this.failures += 1;
        await delay(delayMs, { signal });
      }
    }
  }

  /** Publishes new events and waits for more. Returns when the end of the stream must be located again. */
  private async follow(cursor: Cursor, signal: AbortSignal): Promise<void> {
    const { events, recent, publisher, pollIntervalMs = POLL_INTERVAL_MS } = this.options;
    const { isAwaited = () => true, hold = (until) => delay(HOLD_MS, { signal: until }) } = this.options;
    let checkAt = Date.now() + STREAM_CHECK_INTERVAL_MS;
    while (!signal.aborted) {
      const backlog = this.knownUpTo - cursor.position;
      if (backlog > 0n && backlog < BATCH_EVENTS_MAX && !isAwaited()) await hold(signal);
      const { seen } = this.wakeup;
      const known = this.mustRead ? [] : (recent?.after(cursor.position, BATCH_EVENTS_MAX) ?? []);
      this.mustRead = false;
      const batch = known.length > 0 ? known : await events.readAllStored(cursor.position, BATCH_EVENTS_MAX);
      const last = batch.at(-1)?.position ?? cursor.position;
      if (last > this.knownUpTo) this.knownUpTo = last;
      if (batch.length > 0) {
        const outcome = await publisher.publish(batch, cursor.epoch, cursor.lastSequence, signal);
        cursor.position = outcome.position ?? cursor.position;
        cursor.lastSequence = outcome.lastSequence;
        this.failures = 0;
        if (outcome.duplicate) return await this.explain(outcome.duplicate);
        if (outcome.refused) return;
        checkAt = Date.now() + STREAM_CHECK_INTERVAL_MS;
        // Events of other processes may follow those that this process knows.
        if (batch.length === BATCH_EVENTS_MAX || this.knownUpTo > cursor.position) continue;
      } else if (Date.now() >= checkAt) {
        if (await this.hasChanged(cursor)) return;
        checkAt = Date.now() + STREAM_CHECK_INTERVAL_MS;
      }
      this.failures = 0;
      // All events are published, and any append since then has woken the loop.
      await this.wakeup.wait(seen, pollIntervalMs, signal);
    }
  }

  /**
   * The stream already knows this message. Usually another relay was faster, and the tail shows it. If the tail is
   * before the message, messages were deleted from the stream while it still remembers their ids. They cannot be
   * published again, so the stream is recreated.
   */
  private async explain(duplicate: StoredEvent): Promise<void> {
    const tail = await this.options.stream.tail();
    if (tail.message && tail.message.position >= duplicate.position) return;
    this.options.log.warn({ position: duplicate.position.toString() }, 'messages were deleted from the stream');
    await this.options.stream.recreate();
  }

  private async hasChanged(cursor: Cursor): Promise<boolean> {
    const info = await this.options.stream.info();
    if (info?.state.last_seq !== cursor.lastSequence) return true;
    return (await this.options.events.head()).epoch !== cursor.epoch;
  }

  /** Where to continue; recreates a stream that differs from Postgres. */
  private async locate(): Promise<Cursor> {
    const { stream, events, recent, log } = this.options;
    let tail = await stream.tail();
    // Events recorded from here on belong to the log whose head is read next.
    recent?.forget();
    const { position: head, epoch } = await events.head();
    if (!(await this.agrees(tail, head, epoch))) {
      log.warn(
        { tail: tail.message?.position.toString(), tail_epoch: tail.message?.epoch, head: head.toString(), epoch },
        'the stream differs from Postgres and is recreated',
      );
      await stream.recreate();
      tail = await stream.tail();
    }
    const position = tail.message?.position ?? (await this.leastNeeded(head));
    this.knownUpTo = position;
    return { position, lastSequence: tail.lastSequence, epoch };
  }

  private async leastNeeded(head: bigint): Promise<bigint> {
    const least = await this.options.leastCheckpoint();
    return least < head ? least : head;
  }

  private async agrees(tail: StreamTail, head: bigint, epoch: number): Promise<boolean> {
    const { message } = tail;
    if (!message) return true;
    if (message.epoch !== epoch || message.position < 1n || message.position > head) return false;
    const [event] = await this.options.events.readAllStored(message.position - 1n, 1);
    return event?.eventId === message.eventId;
  }
}
