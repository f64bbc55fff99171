import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import type { Checkpoint } from '../proofs/checkpoint.js';
import type { Tile } from '../tiles/tile.js';

export interface StoredCheckpoint {
  readonly size: number;
  /** Not verified. */
  readonly note: string;
}

const PAGE = 1_000;

// Qualified: a bare `size` would be the output column, which is text and sorts 1000 before 999.
const NEWEST = 'select size::text, note from es.checkpoints c order by c.size desc limit 1';

const FIRST_COVERING = 'select size::text, note from es.checkpoints c where c.size >= $1 order by c.size limit 1';

const AFTER = `select size::text, note from es.checkpoints c where c.size > $1 order by c.size limit ${PAGE}`;

/**
 * The checkpoint and the tiles, or neither. `previous_size` is unique: of two sealers that continue from one checkpoint,
 * one records nothing.
 */
const SAVE = `
  with sealed as (
    insert into es.checkpoints (size, previous_size, sealed_at, note) select $1, $2, $3, $4
    where coalesce((select max(size) from es.checkpoints), 0) = $2::bigint
    on conflict do nothing returning size
  ), stored as (
    insert into es.tiles (level, index, hashes)
    select * from unnest($5::smallint[], $6::bigint[], $7::bytea[]) where exists (select from sealed)
    on conflict (level, index) do update set hashes = excluded.hashes
  )
  select from sealed`;

/** Keeps the last checkpoint of each hour. */
const THIN = `
  delete from es.checkpoints c where c.sealed_at < $1 and exists (
    select from es.checkpoints later
    where later.size > c.size and date_trunc('hour', later.sealed_at) = date_trunc('hour', c.sealed_at)
  )`;

interface Row {
  readonly size: string;
  readonly note: string;
}

const storedCheckpoint = ({ size, note }: Row): StoredCheckpoint => ({ size: Number(size), note });

/** The checkpoints in es.checkpoints. Every method may throw Unavailable. */
export class CheckpointStore {
  constructor(private readonly pool: Pool) {}

  async newest(): Promise<StoredCheckpoint | null> {
    return this.one(NEWEST, []);
  }

  /** The first checkpoint that covers a position; null if it is not sealed yet. */
  async covering(position: number): Promise<StoredCheckpoint | null> {
    return this.one(FIRST_COVERING, [position]);
  }

  /** Those of more than `size` events, smallest first. */
  async *after(size: number): AsyncGenerator<StoredCheckpoint> {
    for (let last = size, full = true; full;) {
      const { rows } = await reportingOutages(() => this.pool.query<Row>(AFTER, [last]));
      yield* rows.map(storedCheckpoint);
      last = Number(rows.at(-1)?.size ?? last);
      full = rows.length === PAGE;
    }
  }

  /** @returns false if another sealer has continued from `previousSize`: nothing was recorded */
  async save(previousSize: number, checkpoint: Checkpoint, tiles: readonly Tile[]): Promise<boolean> {
    const { size, sealedAt, note } = checkpoint;
    const columns = [
      tiles.map(({ level }) => level),
      tiles.map(({ index }) => index),
      tiles.map(({ hashes }) => hashes),
    ];
    const values = [size, previousSize, sealedAt, note, ...columns];
    const { rowCount } = await reportingOutages(() => this.pool.query(SAVE, values));
    return rowCount === 1;
  }

  /** Deletes all checkpoints from before a time, except the last one of each hour. */
  async thin(before: Date): Promise<void> {
    await reportingOutages(() => this.pool.query(THIN, [before]));
  }

  private async one(statement: string, values: unknown[]): Promise<StoredCheckpoint | null> {
    const { rows } = await reportingOutages(() => this.pool.query<Row>(statement, values));
    return rows[0] ? storedCheckpoint(rows[0]) : null;
  }
}
