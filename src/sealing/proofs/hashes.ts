import { hash } from 'node:crypto';

export const HASH_BYTES = 32;

/** A prefix for each kind of node, so that no node can pass as a leaf (RFC 9162, 2.1.1). */
const LEAF = Buffer.of(0);
const NODE = Buffer.of(1);

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** The hash of a tree without leaves. */
export const EMPTY_ROOT = sha256(Buffer.alloc(0));

/** @param leaf a text is hashed as UTF-8 */
export const leafHash = (leaf: string | Uint8Array): Buffer =>
  sha256(Buffer.concat([LEAF, typeof leaf === 'string' ? Buffer.from(leaf) : leaf]));

export const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.concat([NODE, left, right]));

/** The root over subtrees that stand beside each other, largest first (RFC 9162, 2.1.1). */
export const joinedRoot = (subtrees: readonly Buffer[]): Buffer =>
  subtrees.length === 0 ? EMPTY_ROOT : subtrees.reduceRight((right, left) => nodeHash(left, right));

/** Splits concatenated hashes. */
export function hashesIn(concatenated: Uint8Array): Buffer[] {
  if (concatenated.length % HASH_BYTES !== 0) throw new RangeError('the bytes are not a sequence of SHA-256 hashes');
  const bytes = Buffer.from(concatenated.buffer, concatenated.byteOffset, concatenated.length);
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, index) =>
    bytes.subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}
