import { setImmediate as afterThisTurn } from 'node:timers/promises';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { Unavailable } from '../../kernel/errors.js';
import type { EncodedAppend } from './encoded-append.js';

/** Events in a batch, unless one append alone has more. */
export const BATCH_EVENTS_MAX = 500;
/** Characters of JSON in a batch, unless one append alone has more: the lock is held while Postgres parses them. */
export const BATCH_BYTES_MAX = 1024 ** 2;
/** Appends that may wait for the batch in flight; the next one is refused and may be retried. */
export const WAITING_APPENDS_MAX = 10_000;
export const WAITING_BYTES_MAX = 64 * 1024 ** 2;
/** The second batch is built and sent while the first is recorded: Postgres starts it without a round trip. */
export const BATCHES_IN_FLIGHT_MAX = 2;
/**
 * From this number of appends, waiting and in flight, a second batch is worth its own commit. Node takes about 20 µs
 * to complete an append and build the next one; a flush of the log takes 250 to 500 µs. At 16 callers, a value of 8 is
 * 10 to 20 % slower.
 */
export const SPLIT_APPENDS_MIN = 24;
/** Appends checked for one batch: if all of them wait for the same stream, checking more finds nothing. */
const SCANNED_APPENDS_MAX = 1_000;

/** An append and the promise of its caller. */
export interface PendingAppend<Result> {
  readonly append: EncodedAppend;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

type Batch<Result> = readonly PendingAppend<Result>[];

/**
 * Lets concurrent appends share one statement: while batches are in flight, the next one collects. Appends to a stream
 * keep their order, and a stream is in one batch at a time.
 */
export class AppendQueue<Result> {
  private waiting: PendingAppend<Result>[] = [];
  private waitingBytes = 0;
  private readonly inFlight = new Map<Batch<Result>, Promise<void>>();
  private lastBatchAppends = 0;
  private startingAfterThisTurn = false;

  /** @param run settles every append of its batch; if it rejects, the appends not yet settled are rejected */
  constructor(private readonly run: (batch: Batch<Result>) => Promise<void>) {}

  /** @throws Unavailable if too many appends wait already */
  add(append: EncodedAppend): Promise<Result> {
    const full =
      this.waiting.length >= WAITING_APPENDS_MAX ||
      (this.waiting.length > 0 && this.waitingBytes + append.bytes > WAITING_BYTES_MAX);
    if (full) return Promise.reject(new Unavailable('event-store', 'too many appends are waiting'));
    return new Promise((resolve, reject) => {
      const pending = { append, resolve, reject };
      if (this.isAlone()) {
        this.send([pending]);
        return;
      }
      this.waiting.push(pending);
      this.waitingBytes += append.bytes;
      this.startSoon();
    });
  }

  /** Resolves when no append waits or is in flight. */
  async idle(): Promise<void> {
    do {
      await Promise.all(this.inFlight.values());
      await afterThisTurn();
    } while (this.waiting.length > 0 || this.inFlight.size > 0);
  }

  /** A single caller does not wait for others. */
  private isAlone(): boolean {
    return this.waiting.length === 0 && this.inFlight.size === 0 && this.lastBatchAppends <= 1;
  }

  /**
   * Callers of the last batch send their next appends in the same turn. Without the wait for the end of that turn, the
   * first append would go alone, with the others behind it.
   */
  private startSoon(): void {
    if (this.waiting.length === 0) return;
    if (this.startingAfterThisTurn || this.inFlight.size === BATCHES_IN_FLIGHT_MAX) return;
    this.startingAfterThisTurn = true;
    setImmediate(() => {
      this.startingAfterThisTurn = false;
      this.start();
    });
  }

  private start(): void {
    while (this.waiting.length > 0 && this.inFlight.size < BATCHES_IN_FLIGHT_MAX) {
      const inFlight = [...this.inFlight.keys()].flat();
      const appends = this.waiting.length + inFlight.length;
      const splits = appends >= SPLIT_APPENDS_MIN;
      if (inFlight.length > 0 && !splits) return;
      // Halves: after two uneven batches the callers would return just as unevenly, forever.
      const batch = this.nextBatch(inFlight, splits ? Math.ceil(appends / BATCHES_IN_FLIGHT_MAX) : appends);
      if (batch.length === 0) return;
      this.send(batch);
    }
  }

  private send(batch: Batch<Result>): void {
    this.lastBatchAppends = batch.length;
    // Outside any span: a batch belongs to no single caller's trace.
    const completed = context.with(ROOT_CONTEXT, () => this.run(batch));
    const over = () => {
      this.inFlight.delete(batch);
      this.startSoon();
    };
    const failed = (error: unknown) => {
      for (const pending of batch) pending.reject(error);
      over();
    };
    this.inFlight.set(batch, completed.then(over, failed));
  }

  private nextBatch(inFlight: Batch<Result>, appendsMax: number): Batch<Result> {
    const batch: PendingAppend<Result>[] = [];
    const skipped: PendingAppend<Result>[] = [];
    const streams = new Set(inFlight.flatMap(({ append }) => append.writes.map(({ streamId }) => streamId)));
    let events = 0;
    let bytes = 0;
    let scanned = 0;
    for (const pending of this.waiting) {
      const { append } = pending;
      const fits = events + append.events.length <= BATCH_EVENTS_MAX && bytes + append.bytes <= BATCH_BYTES_MAX;
      if (batch.length === appendsMax || scanned === SCANNED_APPENDS_MAX || (batch.length > 0 && !fits)) break;
      scanned += 1;
      const clashes = append.writes.some(({ streamId }) => streams.has(streamId));
      // Even if it is skipped: later appends to its streams must not overtake it.
      for (const { streamId } of append.writes) streams.add(streamId);
      if (clashes) {
        skipped.push(pending);
        continue;
      }
      batch.push(pending);
      events += append.events.length;
      bytes += append.bytes;
    }
    this.waiting = [...skipped, ...this.waiting.slice(scanned)];
    this.waitingBytes -= bytes;
    return batch;
  }
}
