import { LRUCache } from 'lru-cache';

/** Streams whose state is kept. */
export const REMEMBERED_STREAMS_MAX = 2_000;
/** Of all states as JSON. As objects they are larger: up to twenty times, if metadata consists of nothing but `{}`. */
const REMEMBERED_CHARS_MAX = 4 * 1024 ** 2;
/** Since the state was first seen. This is the last safeguard if the database is restored under a running process. */
const REMEMBERED_MS = 60_000;

/** An aggregate after `version` events. */
export interface Folded {
  readonly version: number;
  readonly state: unknown;
  /** Of the newest known snapshot; 0 if there is none. */
  readonly snapshotVersion: number;
}

interface Remembered extends Folded {
  /** Another process appended to it: the state is probably outdated, and only serves as a base to read on from. */
  readonly shared: boolean;
}

/** The last known states of the streams that were recently decided on. */
export class RememberedStates {
  private readonly states = new LRUCache<string, Remembered>({
    max: REMEMBERED_STREAMS_MAX,
    maxSize: REMEMBERED_CHARS_MAX,
    sizeCalculation: ({ state }) => JSON.stringify(state).length,
    ttl: REMEMBERED_MS,
    noUpdateTTL: true,
  });

  get(streamId: string): Remembered | undefined {
    return this.states.get(streamId);
  }

  /** Remembers a state that was read on top of the remembered one. */
  learn(streamId: string, folded: Folded): void {
    const known = this.states.get(streamId);
    if (known && known.version > folded.version) return;
    this.states.set(streamId, { ...folded, shared: known !== undefined && known.version < folded.version });
  }

  /** Remembers the state after an append of this process. */
  advance(streamId: string, folded: Folded): void {
    const known = this.states.get(streamId);
    if (known && known.version > folded.version) return;
    this.states.set(streamId, { ...folded, shared: known?.shared ?? false });
  }

  snapshotTaken(streamId: string, snapshotVersion: number): void {
    const known = this.states.get(streamId);
    if (known) this.states.set(streamId, { ...known, snapshotVersion });
  }

  forget(streamId: string): void {
    this.states.delete(streamId);
  }

  forgetAll(): void {
    this.states.clear();
  }
}
