import type { StoredEvent } from '../core/stored-event.js';

const EVENTS_MAX = 1_000;
/** Characters of JSON. */
const CHARS_MAX = 4 * 1024 ** 2;

const sizeOf = ({ data, metadata }: StoredEvent): number => data.length + metadata.length;

/**
 * The newest events of the log, if this process recorded them and no other process recorded any in between: its relay
 * and its subscriptions need not read them back. They are committed, at contiguous positions. Events are kept from the
 * first call of `after` on.
 */
export class RecentEvents {
  private events: StoredEvent[] = [];
  private chars = 0;
  private wanted = false;
  private forgotten = 0;

  /** Nothing is kept before the first call of `after`. */
  get isWanted(): boolean {
    return this.wanted;
  }

  /** Changes with each `forget`. */
  get generation(): number {
    return this.forgotten;
  }

  /** Adds events at contiguous positions. @param generation before they were recorded: the log may be another one now */
  add(events: readonly StoredEvent[], generation = this.generation): void {
    if (!this.wanted || generation !== this.generation) return;
    const [first] = events;
    const last = this.events.at(-1);
    if (first && last && first.position !== last.position + 1n) this.clear();
    for (const event of events) {
      this.events.push(event);
      this.chars += sizeOf(event);
    }
    while (this.events.length > EVENTS_MAX || this.chars > CHARS_MAX) this.chars -= sizeOf(this.events.shift()!);
  }

  /** @returns events right after a position, in order, at most `limit`; none if unknown: read Postgres then */
  after(position: bigint, limit: number): readonly StoredEvent[] {
    this.wanted = true;
    const [first] = this.events;
    if (!first || first.position > position + 1n) return [];
    const start = Number(position + 1n - first.position);
    return this.events.slice(start, start + limit);
  }

  /** For a log that may be another one, restored from a backup. */
  forget(): void {
    this.clear();
    this.forgotten += 1;
  }

  private clear(): void {
    this.events = [];
    this.chars = 0;
  }
}
