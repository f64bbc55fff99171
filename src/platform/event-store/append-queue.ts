import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { setImmediate as afterThisTurn } from 'node:timers/promises';

import { Unavailable } from '../../kernel/errors.js';
import type { EncodedAppend } from './encoded-append.js';

/** Events in a batch, unless one append alone has more. */
export const BATCH_EVENTS_MAX = 500;
/** Characters of JSON in a batch, unless one append alone has more: the lock is held while Postgres parses them. */
export const BATCH_BYTES_MAX = 1024 ** 2;
/** Appends that may wait for the batch in flight; the next one is told to come again. */
export const WAITING_APPENDS_MAX = 10_000;
export const WAITING_BYTES_MAX = 64 * 1024 ** 2;
/** Appends looked at for one batch: where all of them wait for the same stream, looking at more finds nothing. */
const SCANNED_APPENDS_MAX = 1_000;

/** An append and whoever waits for it. */
export interface PendingAppend<Result> {
  readonly append: EncodedAppend;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Lets concurrent appends share one statement: while a batch is in flight, the next one gathers. In order of arrival,
 * also per stream; at most one append per stream in a batch.
 */
export class AppendQueue<Result> {
  private waiting: PendingAppend<Result>[] = [];
  private waitingBytes = 0;
  private draining: Promise<void> | null = null;
  private lastBatchAppends = 0;

  /** @param run settles every append of its batch; where it rejects, those it had not settled are rejected as well */
  constructor(private readonly run: (batch: readonly PendingAppend<Result>[]) => Promise<void>) {}

  /** @throws Unavailable where too many wait already */
  add(append: EncodedAppend): Promise<Result> {
    const full =
      this.waiting.length >= WAITING_APPENDS_MAX ||
      (this.waiting.length > 0 && this.waitingBytes + append.bytes > WAITING_BYTES_MAX);
    if (full) return Promise.reject(new Unavailable('event-store', 'too many appends are waiting'));
    return new Promise((resolve, reject) => {
      this.waiting.push({ append, resolve, reject });
      this.waitingBytes += append.bytes;
      // Outside any span: a batch belongs to no single caller's trace.
      this.draining ??= context.with(ROOT_CONTEXT, () => this.drain());
    });
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.draining;
  }

  private async drain(): Promise<void> {
    try {
      // A single caller is not kept waiting for company that does not come.
      if (this.lastBatchAppends > 1) await afterThisTurn();
      for (;;) {
        const batch = this.nextBatch();
        this.lastBatchAppends = batch.length;
        await this.run(batch).catch((error: unknown) => {
          for (const pending of batch) pending.reject(error);
        });
        if (this.waiting.length === 0) return;
        // All who were answered by the last batch come with their next append in the same turn: without this wait the
        // first of them would travel alone and the others behind it.
        await afterThisTurn();
      }
    } finally {
      this.draining = null;
    }
  }

  private nextBatch(): PendingAppend<Result>[] {
    const batch: PendingAppend<Result>[] = [];
    const passedOver: PendingAppend<Result>[] = [];
    const streams = new Set<string>();
    let events = 0;
    let bytes = 0;
    let scanned = 0;
    for (const pending of this.waiting) {
      const { append } = pending;
      const fits = events + append.events.length <= BATCH_EVENTS_MAX && bytes + append.bytes <= BATCH_BYTES_MAX;
      if (scanned === SCANNED_APPENDS_MAX || (batch.length > 0 && !fits)) break;
      scanned += 1;
      const clashes = append.writes.some(({ streamId }) => streams.has(streamId));
      // Also where it is passed over: what comes later for its streams must not overtake it.
      for (const { streamId } of append.writes) streams.add(streamId);
      if (clashes) {
        passedOver.push(pending);
        continue;
      }
      batch.push(pending);
      events += append.events.length;
      bytes += append.bytes;
    }
    this.waiting = [...passedOver, ...this.waiting.slice(scanned)];
    this.waitingBytes -= bytes;
    return batch;
  }
}
