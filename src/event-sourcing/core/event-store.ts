import type { EventMetadata, NewEvent, RecordedEvent, StreamRef } from './event.js';

export interface StreamWrite {
  readonly stream: StreamRef;
  /** The version the decision was made on; 0 for a stream that must not exist yet. */
  readonly expectedVersion: number;
  /** At least one. */
  readonly events: readonly NewEvent[];
}

export interface AppendResult {
  /** Positions of the append's first and last event. They are contiguous: the append has `last - first + 1` events. */
  readonly firstPosition: bigint;
  readonly lastPosition: bigint;
  /** False if the same append was recorded before; this is then its first result. */
  readonly recordedNow: boolean;
}

/** Bytes of one event's data as JSON (UTF-8); a larger event is refused. */
export const EVENT_BYTES_MAX = 64 * 1024;

/** Events in one append, over all its streams. */
export const APPEND_EVENTS_MAX = 1_000;

/** The log: append-only, dense positions in commit order, optimistic concurrency per stream. */
export abstract class EventStore {
  /**
   * Appends to one or several streams; all or nothing.
   * May be repeated with the same event ids: a repeat returns the first result.
   * @throws VersionConflict if a stream is not at its expected version
   * @throws DomainError `event_too_large`
   * @throws Unavailable if Postgres is unavailable or slow (5 s), or if the queue of waiting appends is full
   */
  abstract append(writes: readonly StreamWrite[], metadata: EventMetadata): Promise<AppendResult>;

  /** A stream's events after `afterVersion` (default 0: all), oldest first. Empty for a stream that does not exist. */
  abstract readStream(
    stream: StreamRef,
    options?: { afterVersion?: number | undefined; limit?: number | undefined },
  ): Promise<readonly RecordedEvent[]>;

  /** Events after a position, in order, at most `limit`. */
  abstract readAll(afterPosition: bigint, limit: number): Promise<readonly RecordedEvent[]>;

  /** The newest position, 0n for an empty log, and the epoch, which a restore raises. */
  abstract head(): Promise<{ position: bigint; epoch: number }>;
}
