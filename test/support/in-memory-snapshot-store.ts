import { type StreamRef, streamName } from '../../src/event-sourcing/core/event.js';
import { type Snapshot, SnapshotStore } from '../../src/event-sourcing/core/snapshot-store.js';

/** The port without Postgres. Stores text, like the real store. */
export class InMemorySnapshotStore extends SnapshotStore {
  private readonly snapshots = new Map<string, string>();

  get size(): number {
    return this.snapshots.size;
  }

  override load(stream: StreamRef, reducerVersion: number): Promise<Snapshot | null> {
    const stored = this.snapshots.get(keyOf(stream, reducerVersion));
    return Promise.resolve(stored === undefined ? null : (JSON.parse(stored) as Snapshot));
  }

  override save(stream: StreamRef, reducerVersion: number, snapshot: Snapshot): Promise<void> {
    this.snapshots.set(keyOf(stream, reducerVersion), JSON.stringify(snapshot));
    return Promise.resolve();
  }
}

const keyOf = (stream: StreamRef, reducerVersion: number): string => `${streamName(stream)}@${reducerVersion}`;
