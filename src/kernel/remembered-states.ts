import { LRUCache } from 'lru-cache';

/** Of which the state is kept: at up to 16 KiB of a task's metadata each, some 30 MB in the worst case. */
export const REMEMBERED_STREAMS_MAX = 2_000;
/** Not for ever: a database that was restored under a running process knows less than was seen. */
const REMEMBERED_MS = 60_000;

/** An aggregate as so many events have left it. */
export interface Folded {
  readonly version: number;
  readonly state: unknown;
  /** Of the newest snapshot known; 0: there is none. */
  readonly snapshotVersion: number;
}

interface Remembered extends Folded {
  /** Somebody else was seen to append to it: what is remembered will be outdated, and is only good to read on from. */
  readonly shared: boolean;
}

/** The streams that were decided on of late, as they were last seen. */
export class RememberedStates {
  private readonly states = new LRUCache<string, Remembered>({ max: REMEMBERED_STREAMS_MAX, ttl: REMEMBERED_MS });

  get(streamId: string): Remembered | undefined {
    return this.states.get(streamId);
  }

  /** As it was read, on top of what was remembered. */
  learn(streamId: string, folded: Folded): void {
    const known = this.states.get(streamId);
    const shared = known !== undefined && (known.shared || known.version !== folded.version);
    this.states.set(streamId, { ...folded, shared });
  }

  /** As an append of this process has left it. */
  advance(streamId: string, folded: Folded): void {
    const shared = this.states.get(streamId)?.shared ?? false;
    this.states.set(streamId, { ...folded, shared });
  }

  forget(streamId: string): void {
    this.states.delete(streamId);
  }
}
