import type { StreamRef } from '../core/event.js';
import type { RawEvent } from '../event-store/raw-event.js';

/** What the relay, subscriptions and rebuilds need from the event store. Every method may throw Unavailable. */
export interface RawEventReader {
  /** Events after a position, in order, at most `limit`. */
  readAllRaw(afterPosition: bigint, limit: number): Promise<readonly RawEvent[]>;
  /** A stream's events after a version, in order, at most `limit`. */
  readStreamRaw(stream: StreamRef, afterVersion: number, limit: number): Promise<readonly RawEvent[]>;
  /** The newest position, 0n for an empty log, and the epoch, which a restore raises. */
  head(): Promise<{ position: bigint; epoch: number }>;
}
