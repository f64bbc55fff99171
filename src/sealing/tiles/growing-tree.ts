import { HASH_BYTES, joinedRoot } from '../proofs/hashes.js';
import { subtreesOf } from '../proofs/subtrees.js';
import { rootWithin, type Tile, TILE_HASHES, type TileKey, tileName, tileOf } from './tile.js';

const TILE_BYTES = TILE_HASHES * HASH_BYTES;

/** The last tile of each level, if it is not full. */
export function edgeOf(size: number): TileKey[] {
  const edge: TileKey[] = [];
  for (let [level, hashes] = [0, size]; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_HASHES)) {
    if (hashes % TILE_HASHES > 0) edge.push({ level, index: Math.floor(hashes / TILE_HASHES) });
  }
  return edge;
}

/** A Merkle tree that grows by leaves and tells which tiles it changes. It keeps its right edge only. */
export class GrowingTree {
  /** By level: the hashes of the last tile, if it is not full. */
  private readonly edge: Buffer[] = [];

  /** @param edge the tiles of {@link edgeOf}, which may have newer hashes than those of this size */
  constructor(
    private leaves: number,
    edge: readonly Tile[],
  ) {
    for (const { level, index } of edgeOf(leaves)) {
      const tile = edge.find((found) => found.level === level && found.index === index);
      const hashes = Math.floor(leaves / TILE_HASHES ** level) % TILE_HASHES;
      if (!tile || tile.hashes.length < hashes * HASH_BYTES) {
        throw new RangeError(`tile ${tileName({ level, index })} is missing, or has fewer than ${hashes} hashes`);
      }
      this.edge[level] = tile.hashes.subarray(0, hashes * HASH_BYTES);
    }
  }

  get size(): number {
    return this.leaves;
  }

  /** @param hashes of leaves, concatenated @returns every tile that has new hashes, with all its hashes */
  append(hashes: Buffer): Tile[] {
    const first = this.leaves;
    this.leaves += hashes.length / HASH_BYTES;
    return this.extend(0, first, hashes);
  }

  root(): Buffer {
    const subtrees = subtreesOf(0, this.leaves).map((subtree) => {
      const { level, from, count } = tileOf(subtree);
      return rootWithin(this.edge[level]!, from, count);
    });
    return joinedRoot(subtrees);
  }

  /** @param first the number of the first new hash on this level */
  private extend(level: number, first: number, hashes: Buffer): Tile[] {
    const known = this.edge[level] ?? Buffer.alloc(0);
    const bytes = Buffer.concat([known, hashes]);
    const firstTile = Math.floor(first / TILE_HASHES);
    const tiles: Tile[] = [];
    for (let at = 0; at < bytes.length; at += TILE_BYTES) {
      tiles.push({ level, index: firstTile + at / TILE_BYTES, hashes: bytes.subarray(at, at + TILE_BYTES) });
    }
    const full = tiles.filter((tile) => tile.hashes.length === TILE_BYTES);
    this.edge[level] = bytes.subarray(full.length * TILE_BYTES);
    if (full.length === 0) return tiles;
    const roots = Buffer.concat(full.map((tile) => rootWithin(tile.hashes, 0, TILE_HASHES)));
    return [...tiles, ...this.extend(level + 1, firstTile, roots)];
  }
}
