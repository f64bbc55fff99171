import { HASH_BYTES, hashesIn, nodeHash } from '../proofs/hashes.js';
import type { Subtree } from '../proofs/subtrees.js';

/** Of a full tile: 2^8 (C2SP tlog-tiles). */
export const TILE_HASHES = 256;
const TILE_LEVELS = 8;

/**
 * Up to 256 hashes beside each other at every eighth level of the tree. All other hashes of the tree are computed from
 * tiles. Level 0 has the hashes of leaves; a tile of level n has the roots of 256 full tiles of level n - 1.
 */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** Concatenated. */
  readonly hashes: Buffer;
}

export type TileKey = Pick<Tile, 'level' | 'index'>;

export const tileName = ({ level, index }: TileKey): string => `${level}/${index}`;

/** The tile that a subtree's hash is computed from, and which of its hashes. */
export function tileOf({ level, index }: Subtree): TileKey & { readonly from: number; readonly count: number } {
  const count = 2 ** (level % TILE_LEVELS);
  const first = index * count;
  return {
    level: Math.floor(level / TILE_LEVELS),
    index: Math.floor(first / TILE_HASHES),
    from: first % TILE_HASHES,
    count,
  };
}

/** @param count a power of two @throws RangeError if the tile does not have these hashes */
export function rootWithin(hashes: Buffer, from: number, count: number): Buffer {
  const end = (from + count) * HASH_BYTES;
  if (hashes.length < end) throw new RangeError('the tile does not have these hashes yet');
  let level = hashesIn(hashes.subarray(from * HASH_BYTES, end));
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, pair) => nodeHash(level[2 * pair]!, level[2 * pair + 1]!));
  }
  return level[0]!;
}
