import { nodeHash } from './hashes.js';

/** RFC 9162, 2.1.3.2. Verifies that the leaf with this hash is at `index` in the tree of `size` leaves. */
export function isIncluded(leaf: Buffer, index: number, size: number, proof: readonly Buffer[], root: Buffer): boolean {
  if (!(Number.isSafeInteger(index) && Number.isSafeInteger(size) && index >= 0 && index < size)) return false;
  let [node, last] = [index, size - 1];
  let hash = leaf;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      hash = nodeHash(sibling, hash);
      // The right edge has no sibling at these levels.
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      hash = nodeHash(hash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && hash.equals(root);
}

export interface TreeHead {
  readonly size: number;
  readonly root: Buffer;
}

/** RFC 9162, 2.1.4.2. Verifies that the older tree is the beginning of the newer one. */
export function isConsistent(older: TreeHead, newer: TreeHead, proof: readonly Buffer[]): boolean {
  if (older.size === newer.size) return proof.length === 0 && older.root.equals(newer.root);
  if (!(older.size >= 1 && older.size < newer.size)) return false;
  const isPerfect = Number.isInteger(Math.log2(older.size));
  const [start, ...rest] = isPerfect ? [older.root, ...proof] : proof;
  if (!start) return false;
  let [node, last] = [older.size - 1, newer.size - 1];
  while (isOdd(node)) [node, last] = [half(node), half(last)];
  let [olderHash, newerHash] = [start, start];
  for (const sibling of rest) {
    if (last === 0) return false;
    if (isOdd(node) || node === last) {
      olderHash = nodeHash(sibling, olderHash);
      newerHash = nodeHash(sibling, newerHash);
      while (!isOdd(node) && node !== 0) [node, last] = [half(node), half(last)];
    } else {
      newerHash = nodeHash(newerHash, sibling);
    }
    [node, last] = [half(node), half(last)];
  }
  return last === 0 && olderHash.equals(older.root) && newerHash.equals(newer.root);
}

// Sizes exceed 32 bits, which are all that the bitwise operators see.
const isOdd = (number: number): boolean => number % 2 === 1;
const half = (number: number): number => Math.floor(number / 2);
