import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import type { SubtreeReader } from '../proofs/merkle-proofs.js';
import { rootWithin, type Tile, type TileKey, tileName, tileOf } from './tile.js';

const READ = {
  name: 'read_tiles',
  text: `
    select level, index::text, hashes from es.tiles
    join unnest($1::smallint[], $2::bigint[]) as wanted(level, index) using (level, index)`,
};

/** The tiles of the sealed log in es.tiles. */
export class PostgresTiles {
  constructor(private readonly pool: Pool) {}

  /** Those of the tiles that exist, in any order. @throws Unavailable */
  async read(keys: readonly TileKey[]): Promise<Tile[]> {
    if (keys.length === 0) return [];
    const values = [keys.map(({ level }) => level), keys.map(({ index }) => index)];
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ level: number; index: string; hashes: Buffer }>({ ...READ, values }),
    );
    return rows.map(({ level, index, hashes }) => ({ level, index: Number(index), hashes }));
  }

  /** Hashes of subtrees, from one statement. It fails with RangeError for subtrees that are not sealed. */
  readonly subtrees: SubtreeReader = async (subtrees) => {
    const wanted = subtrees.map(tileOf);
    const keys = new Map(wanted.map((tile) => [tileName(tile), tile]));
    const tiles = new Map((await this.read([...keys.values()])).map((tile) => [tileName(tile), tile]));
    return wanted.map((key) => {
      const tile = tiles.get(tileName(key));
      if (!tile) throw new RangeError(`the sealed log lacks tile ${tileName(key)}`);
      return rootWithin(tile.hashes, key.from, key.count);
    });
  };
}
