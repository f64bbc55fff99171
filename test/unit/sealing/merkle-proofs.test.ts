import fc from 'fast-check';

import { CompactTree } from '../../../src/sealing/proofs/compact-tree.js';
import { EMPTY_ROOT, leafHash, nodeHash } from '../../../src/sealing/proofs/hashes.js';
import {
  consistencyProof,
  inclusionProof,
  rootOf,
  type SubtreeReader,
} from '../../../src/sealing/proofs/merkle-proofs.js';
import type { Subtree } from '../../../src/sealing/proofs/subtrees.js';
import { isConsistent, isIncluded } from '../../../src/sealing/proofs/verify-proofs.js';

/** The test vectors of Certificate Transparency's reference implementation, by size. */
const LEAVES = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];
const SIZE_MAX = 70;

const hashes = Array.from({ length: SIZE_MAX }, (_, index) => leafHash(`leaf ${index}`));

const perfect = (leaves: readonly Buffer[], { level, index }: Subtree): Buffer =>
  level === 0
    ? leaves[index]!
    : nodeHash(
        perfect(leaves, { level: level - 1, index: 2 * index }),
        perfect(leaves, { level: level - 1, index: 2 * index + 1 }),
      );
const readerOf =
  (leaves: readonly Buffer[]): SubtreeReader =>
  (subtrees) =>
    Promise.resolve(subtrees.map((subtree) => perfect(leaves, subtree)));
const read = readerOf(hashes);

const rootAt = (size: number) => rootOf(size, read);
const headAt = async (size: number) => ({ size, root: await rootAt(size) });

function compactTreeOf(leaves: readonly Buffer[]): CompactTree {
  const tree = CompactTree.empty();
  for (const leaf of leaves) tree.append(leaf);
  return tree;
}

test('roots are those of Certificate Transparency', async () => {
  const leaves = LEAVES.map((hex) => leafHash(Buffer.from(hex, 'hex')));
  const found = await Promise.all(leaves.map((_, index) => rootOf(index + 1, readerOf(leaves))));
  expect([EMPTY_ROOT, ...found].map((root) => root.toString('hex'))).toEqual(ROOTS);
});

test('a tree that keeps its right edge only has the same roots', async () => {
  for (let size = 1; size <= SIZE_MAX; size += 1) {
    expect(compactTreeOf(hashes.slice(0, size)).root()).toEqual(await rootAt(size));
  }
  expect(CompactTree.empty().root()).toEqual(EMPTY_ROOT);
});

test('every leaf of every tree is proven to be where it is', async () => {
  for (let size = 1; size <= SIZE_MAX; size += 1) {
    const root = await rootAt(size);
    for (let index = 0; index < size; index += 1) {
      const proof = await inclusionProof(index, size, read);
      expect(isIncluded(hashes[index]!, index, size, proof, root)).toBe(true);
    }
  }
});

test('every tree is proven to be the beginning of every larger one', async () => {
  for (let newer = 1; newer <= SIZE_MAX; newer += 1) {
    for (let older = 1; older <= newer; older += 1) {
      const proof = await consistencyProof(older, newer, read);
      expect(isConsistent(await headAt(older), await headAt(newer), proof)).toBe(true);
    }
  }
});

const inTree = fc
  .integer({ min: 2, max: SIZE_MAX })
  .chain((size) => fc.record({ size: fc.constant(size), index: fc.integer({ min: 0, max: size - 1 }) }));

test('a proof of inclusion holds for no other leaf, index, size, root or path', async () => {
  await fc.assert(
    fc.asyncProperty(inTree, fc.nat(), async ({ size, index }, random) => {
      const root = await rootAt(size);
      const proof = await inclusionProof(index, size, read);
      const leaf = hashes[index]!;
      const other = leafHash('another');
      const at = random % proof.length;
      expect(isIncluded(other, index, size, proof, root)).toBe(false);
      expect(isIncluded(leaf, (index + 1) % size, size, proof, root)).toBe(false);
      expect(isIncluded(leaf, index, size, proof, other)).toBe(false);
      expect(isIncluded(leaf, index, size, proof.with(at, other), root)).toBe(false);
      expect(isIncluded(leaf, index, size, proof.slice(1), root)).toBe(false);
      expect(isIncluded(leaf, index, size, [...proof, other], root)).toBe(false);
      expect(isIncluded(leaf, size, size, proof, root)).toBe(false);
      expect(isIncluded(leaf, -1, size, proof, root)).toBe(false);
    }),
  );
});

test('a tree with another leaf, or with one leaf less, is not proven to be the beginning', async () => {
  await fc.assert(
    fc.asyncProperty(inTree, async ({ size, index }) => {
      const older = index + 1;
      const proof = await consistencyProof(older, size, read);
      const newer = await headAt(size);
      const rewritten = compactTreeOf([...hashes.slice(0, index), leafHash('another')]);
      expect(isConsistent({ size: older, root: rewritten.root() }, newer, proof)).toBe(false);
      if (index > 0) expect(isConsistent(await headAt(index), newer, proof)).toBe(false);
      expect(isConsistent({ ...newer, size: size + 1 }, newer, proof)).toBe(false);
    }),
  );
});

test.each([
  ['inclusion beyond the tree', () => inclusionProof(8, 8, read)],
  ['consistency of an empty tree', () => consistencyProof(0, 8, read)],
  ['consistency with a smaller tree', () => consistencyProof(9, 8, read)],
])('there is no proof: %s', async (_, prove) => {
  await expect(prove()).rejects.toThrow(RangeError);
});
