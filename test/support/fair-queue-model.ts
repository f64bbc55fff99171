import type { Job, JobState } from '../../src/queue/job-queue.js';

const BAND_MAX = 10;

export interface Entry {
  readonly id: string;
  readonly job: Job;
  readonly seq: number;
  readonly enqueuedAt: number;
  readonly readyAt: number;
  state: JobState;
  band: number;
  risesAt?: number;
  token?: string;
  worker?: string;
  deadline?: number;
}

/** A model of bands, fair scheduling and limits, as simple as possible: lists of users, searched from the front. */
export class FairQueueModel {
  /** For each band, the users who may be served, the next one first. */
  readonly #queues: string[][] = Array.from({ length: BAND_MAX + 1 }, () => []);
  readonly #parked = new Set<string>();
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #userConcurrencyMax: number;

  constructor(entries: ReadonlyMap<string, Entry>, userConcurrencyMax: number) {
    this.#entries = entries;
    this.#userConcurrencyMax = userConcurrencyMax;
  }

  enqueue(entry: Entry): void {
    entry.state = 'waiting';
    this.#join(entry.band, entry.job.userId);
  }

  leave(entry: Entry): void {
    if (entry.state !== 'waiting') return;
    entry.state = 'missing';
    if (this.#queueOf(entry.band, entry.job.userId).length === 0) this.#drop(entry.band, entry.job.userId);
  }

  /** Removes and returns the next job; its user moves to the end of the band's queue. */
  next(): Entry | undefined {
    const band = this.#queues.findLastIndex((users) => users.length > 0);
    const userId = this.#queues[band]?.[0];
    if (userId === undefined) return undefined;
    const entry = this.#queueOf(band, userId)[0]!;
    this.leave(entry);
    if (this.#queues[band]!.includes(userId)) {
      this.#drop(band, userId);
      this.#join(band, userId);
    }
    return entry;
  }

  parkAtLimit(userId: string): void {
    if (this.#leases(userId) < this.#userConcurrencyMax) return;
    this.#parked.add(userId);
    for (let band = 0; band <= BAND_MAX; band += 1) this.#drop(band, userId);
  }

  unpark(userId: string): void {
    if (this.#leases(userId) >= this.#userConcurrencyMax || !this.#parked.delete(userId)) return;
    for (let band = 0; band <= BAND_MAX; band += 1) {
      if (this.#queueOf(band, userId).length > 0) this.#join(band, userId);
    }
  }

  clear(): void {
    for (const users of this.#queues) users.length = 0;
    this.#parked.clear();
  }

  #queueOf(band: number, userId: string): Entry[] {
    return [...this.#entries.values()]
      .filter((entry) => entry.state === 'waiting' && entry.band === band && entry.job.userId === userId)
      .sort((a, b) => a.seq - b.seq || (a.id < b.id ? -1 : 1));
  }

  #leases(userId: string): number {
    return [...this.#entries.values()].filter((entry) => entry.state === 'leased' && entry.job.userId === userId)
      .length;
  }

  #join(band: number, userId: string): void {
    const users = this.#queues[band]!;
    if (!this.#parked.has(userId) && !users.includes(userId)) users.push(userId);
  }

  #drop(band: number, userId: string): void {
    const users = this.#queues[band]!;
    const at = users.indexOf(userId);
    if (at >= 0) users.splice(at, 1);
  }
}
