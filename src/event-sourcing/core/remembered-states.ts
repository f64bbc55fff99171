import { LRUCache } from 'lru-cache';

/** Of which the state is kept. */
export const REMEMBERED_STREAMS_MAX = 2_000;
/** Of all of them as JSON. As objects they are larger: twenty times at the worst, for metadata of nothing but `{}`. */
const REMEMBERED_CHARS_MAX = 4 * 1024 ** 2;
/** From when it was first seen: the last word against a database that was restored under a running process. */
const REMEMBERED_MS = 60_000;

/** An aggregate as so many events have left it. */
export interface Folded {
  readonly version: number;
  readonly state: unknown;
  /** Of the newest snapshot known; 0: there is none. */
  readonly snapshotVersion: number;
}

interface Remembered extends Folded {
  /** Others were last seen to append to it: what is remembered will be outdated, and is only good to read on from. */
  readonly shared: boolean;
}

/** The streams that were decided on of late, as they were last seen. */
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

  /** As it was read, on top of what was remembered. */
  learn(streamId: string, folded: Folded): void {
    const known = this.states.get(streamId);
    if (known && known.version > folded.version) return;
    this.states.set(streamId, { ...folded, shared: known !== undefined && known.version < folded.version });
  }

  /** As an append of this process has left it. */
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
