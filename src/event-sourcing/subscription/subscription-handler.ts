import type { PoolClient } from 'pg';

import type { Delivery, RecordedEvent } from '../core/event.js';
import type { Write } from './move-statement.js';

/** The changes that a batch of events causes. */
export interface Changes {
  readonly writes: readonly Write[];
  /** Called after the commit. Must not throw. */
  readonly applied: () => void;
}

/**
 * Handles the events of a subscription. They come in order and in batches: at least once for `runEffects`, exactly once for
 * `change`. Throw `Unavailable` for an outage (the batch is retried without limit); any other error counts as a fault
 * of the event.
 */
export interface SubscriptionHandler {
  /** Whether an event may matter here; other events move the checkpoint when there is time. If absent, all may. */
  concerns?(event: Pick<RecordedEvent, 'stream' | 'type'>): boolean;
  /**
   * Whether nobody waits for what this event changes: it may be applied a moment later, together with the next events.
   * Its effects run at once. If absent, no event can wait. Not asked about events that do not concern the handler: they
   * can always wait.
   */
  canWait?(event: RecordedEvent): boolean;
  /**
   * Effects on other systems, before the checkpoint moves. Must be idempotent: ids are derived from the event.
   *
   * @param ranUpTo those of events up to this position have run already, while the events waited
   */
  runEffects?(deliveries: readonly Delivery[], signal: AbortSignal, ranUpTo: bigint): Promise<void>;
  /** Rows of Postgres, written in one statement with the checkpoint; until then nothing has changed. */
  change?(events: readonly RecordedEvent[]): Promise<Changes>;
  /** Called after the checkpoint is committed. Must not throw. */
  committed?(position: bigint): void;
  /** Called when leadership begins, possibly after another leader: remembered rows may be outdated. */
  forget?(): void;
  /**
   * After a restore the checkpoint may be ahead of the log: `reset` empties what `change` wrote, in the transaction
   * that sets the checkpoint back to 0. Without `reset` the checkpoint is set to the head.
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
