import type { StreamRef } from './event.js';

export interface Snapshot {
  /** The stream version that the state includes. */
  readonly version: number;
  /** Parsed from JSON. */
  readonly state: unknown;
}

/** Folded states of long streams. Disposable: losing all of them costs time, but no data. */
export abstract class SnapshotStore {
  /** The newest snapshot made by this version of the reducer, or null. */
  abstract load(stream: StreamRef, reducerVersion: number): Promise<Snapshot | null>;

  abstract save(stream: StreamRef, reducerVersion: number, snapshot: Snapshot): Promise<void>;
}
