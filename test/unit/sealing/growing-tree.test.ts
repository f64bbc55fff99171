import { CompactTree } from '../../../src/sealing/proofs/compact-tree.js';
import { leafHash } from '../../../src/sealing/proofs/hashes.js';
import { inclusionProof, rootOf } from '../../../src/sealing/proofs/merkle-proofs.js';
import { isIncluded } from '../../../src/sealing/proofs/verify-proofs.js';
import { edgeOf, GrowingTree } from '../../../src/sealing/tiles/growing-tree.js';
import { rootWithin, type Tile, tileOf } from '../../../src/sealing/tiles/tile.js';

const LEAVES = 66_000;
const leaves = Array.from({ length: LEAVES }, (_, index) => leafHash(String(index)));
/** Sizes around the ends of tiles on both levels. */
const SIZES = [1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, LEAVES];

const keyOf = ({ level, index }: Pick<Tile, 'level' | 'index'>) => `${level}/${index}`;

/** Appends the leaves in steps, as a sealer does, and starts again from its tiles before every step. */
function grown(): { tiles: Map<string, Tile>; roots: Map<number, Buffer> } {
  const tiles = new Map<string, Tile>();
  const roots = new Map<number, Buffer>();
  let size = 0;
  for (const next of SIZES) {
    const tree = new GrowingTree(size, [...tiles.values()]);
    for (const tile of tree.append(Buffer.concat(leaves.slice(size, next)))) tiles.set(keyOf(tile), tile);
    size = next;
    roots.set(size, tree.root());
  }
  return { tiles, roots };
}

const { tiles, roots } = grown();

const reader = (subtrees: Parameters<Parameters<typeof rootOf>[1]>[0]) =>
  Promise.resolve(
    subtrees.map((subtree) => {
      const { from, count, ...key } = tileOf(subtree);
      return rootWithin(tiles.get(keyOf(key))!.hashes, from, count);
    }),
  );

test('its roots are those of the tree of all leaves', () => {
  const tree = CompactTree.empty();
  for (const leaf of leaves) {
    tree.append(leaf);
    const root = roots.get(tree.size);
    if (root) expect(root).toEqual(tree.root());
  }
});

test('its tiles hold 256 hashes each, except the last one of each level', () => {
  const counts = [...tiles.values()].map(({ level, hashes }) => [level, hashes.length / 32] as const);
  expect(counts.filter(([level, count]) => level === 0 && count === 256)).toHaveLength(Math.floor(LEAVES / 256));
  expect(new Map(counts.filter(([, count]) => count !== 256))).toEqual(
    new Map([
      [0, LEAVES % 256],
      [1, Math.floor(LEAVES / 256) % 256],
      [2, 1],
    ]),
  );
  expect(edgeOf(LEAVES)).toEqual([
    { level: 0, index: 257 },
    { level: 1, index: 1 },
    { level: 2, index: 0 },
  ]);
});

test.each(SIZES)('proofs in the tree of %d leaves are computed from tiles', async (size) => {
  const root = await rootOf(size, reader);
  expect(root).toEqual(roots.get(size));
  for (const index of [0, Math.floor(size / 2), size - 1]) {
    const proof = await inclusionProof(index, size, reader);
    expect(isIncluded(leaves[index]!, index, size, proof, root)).toBe(true);
  }
});

test('a tree without one of its tiles, or with a shorter one, cannot be continued', () => {
  const [first] = edgeOf(LEAVES);
  const others = [...tiles.values()].filter((tile) => keyOf(tile) !== keyOf(first!));
  expect(() => new GrowingTree(LEAVES, others)).toThrow('tile 0/257 is missing');
  const short = { ...first!, hashes: leaves[0]! };
  expect(() => new GrowingTree(LEAVES, [...others, short])).toThrow('fewer than 208 hashes');
});
