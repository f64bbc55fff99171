import type { StreamRef } from '../core/event.js';
import type { StoredEvent } from '../core/stored-event.js';

/** What the relay, subscriptions and rebuilds need from the event store. Every method may throw Unavailable. */
export interface StoredEventReader {
  /** Events after a position, in order, at most `limit`. */
  readAllStored(afterPosition: bigint, limit: number): Promise<readonly StoredEvent[]>;
  /** A stream's events after a version, in order, at most `limit`. */
  readStreamStored(stream: StreamRef, afterVersion: number, limit: number): Promise<readonly StoredEvent[]>;
  /** The newest position, 0n for an empty log, and the epoch, which a restore raises. */
  head(): Promise<{ position: bigint; epoch: number }>;
}
