import type { PoolClient } from 'pg';

import type { RecordedEvent } from '../core/event.js';
import type { Write } from './move-statement.js';

/** An event as a subscription hands it over: lifted, with the span it continues. */
export interface DeliveredEvent extends RecordedEvent {
  /** The relay's span where the event came over JetStream, else the span that appended it. */
  readonly traceparent: string | undefined;
}

/** What a batch of events comes to. */
export interface Changes {
  readonly writes: readonly Write[];
  /** They are committed. Must not throw. */
  readonly applied: () => void;
}

/**
 * What a subscription does with events. They come in order, in batches, each at least once as far as `act` goes, and
 * exactly once as far as `change` goes. Throw `Unavailable` for an outage (the batch is tried again for ever); anything
 * else counts as the event's fault.
 */
export interface SubscriptionHandler {
  /** Whether an event may matter to it; the others move the checkpoint when there is time. Absent: all may. */
  concerns?(event: Pick<RecordedEvent, 'stream' | 'type'>): boolean;
  /** Effects on other systems, before the checkpoint moves. Must bear repetition: ids follow from the event. */
  act?(events: readonly DeliveredEvent[], signal: AbortSignal): Promise<void>;
  /** Rows of Postgres, to be written in one statement with the checkpoint; until then nothing has happened. */
  change?(events: readonly DeliveredEvent[]): Promise<Changes>;
  /** The checkpoint is committed. Must not throw. */
  committed?(position: bigint): void;
  /** A lead begins, maybe after somebody else's: what was remembered of rows may be outdated. */
  forget?(): void;
  /**
   * After a restore the checkpoint may be ahead of the log: empties what `change` wrote, in the transaction that sets
   * the checkpoint back to 0. Without it the checkpoint is set to the head.
   */
  reset?(client: PoolClient): Promise<void>;
}

/** A stream that a subscription has stopped applying. */
export interface ParkedStream {
  readonly subscription: string;
  readonly streamType: string;
  readonly streamId: string;
  readonly fromPosition: bigint;
  readonly fromVersion: number;
  readonly error: string;
  readonly parkedAt: Date;
}
