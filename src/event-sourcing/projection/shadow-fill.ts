import type { Pool, PoolClient } from 'pg';

import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import type { EventCatalog } from '../core/event-catalog.js';
import type { RecordedEvent } from '../core/event.js';
import { LazyEvent } from '../core/lazy-event.js';
import type { StoredEvent } from '../core/stored-event.js';
import type { StoredEventReader } from '../relay/stored-event-reader.js';
import type { ProjectionTable } from './projection-table.js';

/** The log in large batches; the next batch is fetched while the last one is processed. */
export interface ScannableLog extends StoredEventReader {
  scan(afterPosition: bigint, untilPosition: bigint, batchEvents?: number): AsyncIterable<readonly StoredEvent[]>;
}

export interface ShadowFillOptions {
  readonly pool: Pool;
  readonly events: ScannableLog;
  readonly catalog: EventCatalog;
  readonly tables: readonly ProjectionTable[];
  /** Streams to leave out, each from this position on. */
  readonly parked: ReadonlyMap<string, bigint>;
  readonly onProgress?: ((progress: { position: bigint; head: bigint }) => void) | undefined;
}

/** Large, because a row that many events of a batch affect is written once; takes a few tens of MB of memory. */
const BATCH_EVENTS = 10_000;
/** Events that may remain for the time under the lock. */
const REMAINDER_EVENTS_MAX = 500n;
const ROUNDS_MAX = 20;
/** Nothing here must survive a crash: the tables are dropped, or become durable with the commit of the swap. */
export const BEGIN = 'begin; set local synchronous_commit = off; set local statement_timeout = 0';

/** Folds the log into shadow tables. */
export class ShadowFill {
  /** Folded up to here. */
  position = 0n;
  /** Events read from the log. */
  count = 0;

  constructor(private readonly options: ShadowFillOptions) {}

  /** Folds until little is left to the target, which moves on meanwhile. */
  async fill(target: () => Promise<bigint>): Promise<void> {
    const clients: PoolClient[] = [];
    try {
      for (const _ of this.options.tables) clients.push(await this.options.pool.connect());
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const until = await target();
        if (until - this.position <= (round === 0 ? 0n : REMAINDER_EVENTS_MAX)) return;
        await this.fillTo(until, clients);
      }
    } finally {
      for (const client of clients) client.release();
    }
  }

  /** Folds up to a position, in the caller's transaction. Returns where it ended; the fill stays unchanged. */
  async rest(client: PoolClient, until: bigint): Promise<{ position: bigint; count: number }> {
    let { position, count } = this;
    for await (const batch of this.options.events.scan(position, until, BATCH_EVENTS)) {
      const events = this.select(batch);
      for (const table of this.options.tables) await table.apply(client, events);
      position = batch.at(-1)?.position ?? position;
      count += batch.length;
    }
    return { position, count };
  }

  /** Each table uses its own connection: while Postgres writes the rows of one, those of the next are folded. */
  private async fillTo(until: bigint, clients: readonly PoolClient[]): Promise<void> {
    const { events, tables, onProgress } = this.options;
    for await (const batch of events.scan(this.position, until, BATCH_EVENTS)) {
      const selected = this.select(batch);
      const written = await Promise.allSettled(
        tables.map((table, index) => inTransaction(clients[index]!, (client) => table.apply(client, selected))),
      );
      for (const outcome of written) if (outcome.status === 'rejected') throw outcome.reason;
      this.position = batch.at(-1)?.position ?? this.position;
      this.count += batch.length;
      onProgress?.({ position: this.position, head: until });
    }
  }

  private select(batch: readonly StoredEvent[]): RecordedEvent[] {
    const { parked, catalog } = this.options;
    const selected: RecordedEvent[] = [];
    for (const stored of batch) {
      const from = parked.get(stored.stream.id);
      if (from === undefined || stored.position < from) selected.push(new LazyEvent(stored, catalog));
    }
    return selected;
  }
}

async function inTransaction(client: PoolClient, work: (client: PoolClient) => Promise<unknown>): Promise<void> {
  await client.query(BEGIN);
  try {
    await work(client);
    await client.query('commit');
  } catch (error) {
    await ignoreErrors(client.query('rollback'), 'the error that caused it is thrown');
    throw error;
  }
}
