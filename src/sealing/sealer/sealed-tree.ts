import { openCheckpoint } from '../proofs/checkpoint.js';
import type { NoteVerifier } from '../proofs/signed-note.js';
import { edgeOf, GrowingTree } from '../tiles/growing-tree.js';
import type { PostgresTiles } from '../tiles/postgres-tiles.js';
import type { CheckpointStore } from './checkpoint-store.js';

/** What is sealed contradicts what was signed before. Signing more would vouch for a changed history. */
export class SealRefused extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'SealRefused';
  }
}

/** The tree of the newest checkpoint, from which sealing continues. @throws SealRefused if it is not the signed one */
export async function sealedTree(
  checkpoints: CheckpointStore,
  tiles: PostgresTiles,
  verifiers: readonly NoteVerifier[],
): Promise<GrowingTree> {
  const newest = await checkpoints.newest();
  const size = newest?.size ?? 0;
  const tree = treeOf(size, await tiles.read(edgeOf(size)));
  if (!newest) return tree;
  const opened = openCheckpoint(newest.note, verifiers);
  if ('fault' in opened) throw new SealRefused(`the newest checkpoint ${opened.fault}`);
  const { checkpoint } = opened;
  if (checkpoint.size !== size || !checkpoint.root.equals(tree.root())) {
    throw new SealRefused('the hashes of the sealed log do not fit the newest checkpoint');
  }
  return tree;
}

function treeOf(size: number, edge: Awaited<ReturnType<PostgresTiles['read']>>): GrowingTree {
  try {
    return new GrowingTree(size, edge);
  } catch (error) {
    throw new SealRefused(`the sealed log is incomplete: ${(error as Error).message}`);
  }
}
