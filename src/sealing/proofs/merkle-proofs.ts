import { joinedRoot } from './hashes.js';
import { splitOf, type Subtree, subtreesOf } from './subtrees.js';

/** Reads the hashes of perfect subtrees, in the order given. */
export type SubtreeReader = (subtrees: readonly Subtree[]) => Promise<readonly Buffer[]>;

/** Leaves [first, end) whose hash is a node of a proof. */
type Range = readonly [first: number, end: number];

/** The root of the first `size` leaves. */
export async function rootOf(size: number, read: SubtreeReader): Promise<Buffer> {
  const [root] = await hashesOf([[0, size]], read);
  return root!;
}

/** RFC 9162, 2.1.3.1: proves that a leaf is at `index` in the tree of `size` leaves. */
export async function inclusionProof(index: number, size: number, read: SubtreeReader): Promise<Buffer[]> {
  if (!(index >= 0 && index < size)) throw new RangeError(`a tree of ${size} leaves has no leaf ${index}`);
  return await hashesOf(inclusionPath(index, 0, size), read);
}

function inclusionPath(index: number, first: number, end: number): Range[] {
  if (end - first === 1) return [];
  const middle = first + splitOf(end - first);
  return index < middle
    ? [...inclusionPath(index, first, middle), [middle, end]]
    : [...inclusionPath(index, middle, end), [first, middle]];
}

/** RFC 9162, 2.1.4.1: proves that the tree of `older` leaves is the beginning of the tree of `newer` leaves. */
export async function consistencyProof(older: number, newer: number, read: SubtreeReader): Promise<Buffer[]> {
  if (!(older >= 1 && older <= newer)) throw new RangeError(`a tree of ${older} leaves is no part of one of ${newer}`);
  return await hashesOf(older === newer ? [] : consistencyPath(older, 0, newer, true), read);
}

/** @param whole the older tree is this subtree itself, whose hash the verifier knows */
function consistencyPath(older: number, first: number, end: number, whole: boolean): Range[] {
  if (older === end) return whole ? [] : [[first, end]];
  const middle = first + splitOf(end - first);
  return older <= middle
    ? [...consistencyPath(older, first, middle, whole), [middle, end]]
    : [...consistencyPath(older, middle, end, false), [first, middle]];
}

async function hashesOf(ranges: readonly Range[], read: SubtreeReader): Promise<Buffer[]> {
  const subtrees = ranges.map(([first, end]) => subtreesOf(first, end));
  const hashes = await read(subtrees.flat());
  let taken = 0;
  return subtrees.map(({ length }) => joinedRoot(hashes.slice(taken, (taken += length))));
}
