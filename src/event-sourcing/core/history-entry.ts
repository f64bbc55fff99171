import type { RecordedEvent } from './event.js';

/** One entry of a history as people read it, over HTTP and on the command line. */
export interface HistoryEntry {
  readonly type: string;
  readonly version: number;
  readonly position: number;
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly actor: string;
  readonly data: unknown;
}

export const historyEntryOf = (event: RecordedEvent): HistoryEntry => ({
  type: event.type,
  version: event.version,
  // A double holds positions up to 2^53: at 10,000 events a second, that is 28,000 years.
  position: Number(event.position),
  time: event.recordedAt.toISOString(),
  actor: event.metadata.actor,
  data: event.data,
});
