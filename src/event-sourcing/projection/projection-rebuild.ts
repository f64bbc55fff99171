import type { Pool, PoolClient } from 'pg';

import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import { reportingOutages, sqlStateOf } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { EventCatalog } from '../core/event-catalog.js';
import { ProjectionTable } from './projection-table.js';
import type { Projection } from './projection.js';
import { BEGIN, type ScannableLog, ShadowFill } from './shadow-fill.js';
import { compareShadow, createShadow, dropShadow, indexShadow, shadowOf, swapShadow } from './shadow-tables.js';

export interface RebuildOptions {
  /**
   * Of the role that owns the views: swapping them is DDL, which the role of the service may not do. Uses one
   * connection, and one more for each view while it fills.
   */
  readonly pool: Pool;
  readonly events: ScannableLog;
  readonly catalog: EventCatalog;
  /** Every view of the subscription: they share its checkpoint. */
  readonly projections: readonly Projection[];
  readonly subscription: string;
  readonly log: Log;
  readonly onProgress?: (progress: { position: bigint; head: bigint }) => void;
}

export interface RebuiltTable {
  readonly table: string;
  readonly live: number;
  readonly rebuilt: number;
  /** Rows that differ. */
  readonly differing: number;
  /** Keys of some of them. */
  readonly examples: readonly string[];
}

export interface RebuildResult {
  readonly swapped: boolean;
  readonly events: number;
  /** Both sides include the log up to here. */
  readonly position: bigint;
  readonly elapsedMs: number;
  readonly tables: readonly RebuiltTable[];
}

/** The swap waits no longer than this for readers, so that nobody waits behind it for long; then it retries. */
const SWAP_LOCK_TIMEOUT_MS = 1_000;
const SWAP_ATTEMPTS_MAX = 20;
const EXAMPLES_MAX = 20;
/** SQLSTATEs: lock not available, deadlock detected. */
const RETRYABLE = new Set(['55P03', '40P01']);

/**
 * Rebuilds the views from the log, beside the live ones, and swaps them in one transaction. It fires no effects and
 * creates no spans. Parked streams stay as they are in the live views: up to where they were parked.
 */
export class ProjectionRebuild {
  private readonly tables: readonly ProjectionTable[];

  constructor(private readonly options: RebuildOptions) {
    this.tables = options.projections.map((projection) => new ProjectionTable(projection, shadowOf(projection.table)));
  }

  /** Rebuilds and swaps. @throws if an event cannot be projected: the live views stay unchanged */
  rebuild(): Promise<RebuildResult> {
    return this.run(true);
  }

  /** Rebuilds, compares at the same position, and discards the result. */
  verify(): Promise<RebuildResult> {
    return this.run(false);
  }

  private async run(swap: boolean): Promise<RebuildResult> {
    const startedAt = performance.now();
    return await reportingOutages(async () => {
      const guard = await this.options.pool.connect();
      try {
        await this.acquireLock(guard);
        const outcome = await this.shadowed(guard, swap);
        return { ...outcome, swapped: swap, elapsedMs: performance.now() - startedAt };
      } finally {
        // A connection that fails to unlock is closed, which unlocks as well.
        await guard.query('select pg_advisory_unlock_all()').then(
          () => guard.release(),
          (error: Error) => guard.release(error),
        );
      }
    });
  }

  private async shadowed(
    client: PoolClient,
    swap: boolean,
  ): Promise<Pick<RebuildResult, 'events' | 'position' | 'tables'>> {
    const { pool, events, catalog, onProgress } = this.options;
    try {
      for (const { projection } of this.tables) await createShadow(client, projection);
      const parked = await this.parked(client);
      const fill = new ShadowFill({ pool, events, catalog, tables: this.tables, parked, onProgress });
      await fill.fill(swap ? this.head : () => this.checkpoint(client));
      for (const { projection } of this.tables) {
        if (swap) await indexShadow(client, projection);
        // Not analysed so far, and about to serve queries.
        await client.query(`analyze read.${shadowOf(projection.table)}`);
      }
      return await this.finish(client, fill, parked, swap);
    } finally {
      await ignoreErrors(client.query('rollback'), 'the work has ended, with its own error if any');
      for (const { projection } of this.tables)
        await ignoreErrors(dropShadow(client, projection), 'the next rebuild drops the table');
    }
  }

  private async acquireLock(guard: PoolClient): Promise<void> {
    const { rows } = await guard.query<{ won: boolean }>(
      'select pg_try_advisory_lock(hashtextextended($1, 0)) as won',
      [`voidrunner rebuild ${this.options.subscription}`],
    );
    if (!rows[0]?.won) throw new Error(`another rebuild of ${this.options.subscription} is running`);
  }

  private readonly head = async (): Promise<bigint> => (await this.options.events.head()).position;

  /** The live views end here, so a comparison must not go past it. */
  private async checkpoint(client: PoolClient, lock: '' | 'for update' = ''): Promise<bigint> {
    const { rows } = await client.query<{ position: bigint }>(
      `select position from read.checkpoints where subscription = $1 ${lock}`,
      [this.options.subscription],
    );
    return rows[0]?.position ?? 0n;
  }

  /** Parked streams, each with the position from which it is left out. */
  private async parked(client: PoolClient): Promise<ReadonlyMap<string, bigint>> {
    const { rows } = await client.query<{ stream_id: string; from_position: bigint }>(
      'select stream_id, from_position from read.parked where subscription = $1',
      [this.options.subscription],
    );
    return new Map(rows.map(({ stream_id, from_position }) => [stream_id, from_position]));
  }

  private async finish(
    client: PoolClient,
    fill: ShadowFill,
    parked: ReadonlyMap<string, bigint>,
    swap: boolean,
  ): Promise<Pick<RebuildResult, 'events' | 'position' | 'tables'>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.finishUnderLock(client, fill, parked, swap);
      } catch (error) {
        await ignoreErrors(client.query('rollback'), 'the error that caused it is thrown, or the retry fails');
        if (!RETRYABLE.has(sqlStateOf(error)) || attempt >= SWAP_ATTEMPTS_MAX) throw error;
        this.options.log.info({ attempt }, 'the views are in use; the swap is retried');
      }
    }
  }

  /**
   * Every write of the projector goes through the row of the checkpoint: while that is locked here, nothing is
   * applied. A projector that waits for it already holds writer locks on its views, which would block a swap. So a
   * swap locks the views first. Readers continue until the tables are swapped.
   */
  private async finishUnderLock(
    client: PoolClient,
    fill: ShadowFill,
    parked: ReadonlyMap<string, bigint>,
    swap: boolean,
  ): Promise<Pick<RebuildResult, 'events' | 'position' | 'tables'>> {
    const { subscription, events } = this.options;
    await client.query(`${BEGIN}; set local lock_timeout = ${SWAP_LOCK_TIMEOUT_MS}`);
    if (swap) await client.query(`lock table ${this.liveTables()} in share row exclusive mode`);
    const { epoch } = await events.head();
    await client.query(
      `insert into read.checkpoints (subscription, position, epoch) values ($1, 0, $2)
       on conflict (subscription) do nothing`,
      [subscription, epoch],
    );
    const live = await this.checkpoint(client, 'for update');
    if (!isSame(parked, await this.parked(client))) {
      throw new Error('a stream was parked or redriven during the rebuild: repeat it');
    }
    const { position, count } = await fill.rest(client, live);
    const tables: RebuiltTable[] = [];
    for (const { projection } of this.tables) {
      const comparison = await compareShadow(client, projection, EXAMPLES_MAX);
      tables.push({ table: projection.table, ...comparison });
      if (swap) await swapShadow(client, projection);
    }
    if (swap) await this.moveCheckpoint(client, position > live ? position : live);
    await client.query(swap ? 'commit' : 'rollback');
    return { events: count, position, tables };
  }

  private liveTables(): string {
    return this.tables.map(({ projection }) => `read.${projection.table}`).join(', ');
  }

  /** A running projector finds its checkpoint moved, forgets the rows it remembers, and continues from there. */
  private async moveCheckpoint(client: PoolClient, position: bigint): Promise<void> {
    await client.query(
      `update read.checkpoints set position = $2, generation = generation + 1, updated_at = now()
       where subscription = $1`,
      [this.options.subscription, position],
    );
  }
}

const isSame = (before: ReadonlyMap<string, bigint>, now: ReadonlyMap<string, bigint>): boolean =>
  before.size === now.size && [...now].every(([stream, from]) => before.get(stream) === from);
