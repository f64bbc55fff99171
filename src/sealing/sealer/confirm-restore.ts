import { type Checkpoint, signCheckpoint } from '../proofs/checkpoint.js';
import type { PostgresTiles } from '../tiles/postgres-tiles.js';
import type { CheckpointAnchor } from './anchor.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { sealedTree } from './sealed-tree.js';
import type { SealingKeys } from './sealer.js';

/**
 * Signs that the log was restored to what is sealed in the database now, and publishes it: larger checkpoints from
 * before no longer count, and sealing continues. The statement stays visible: every later check mentions it.
 * @throws SealRefused if what is sealed is not what was signed; Unavailable, or an error of the file system, if an
 * anchor cannot be written: repeat it then
 */
export async function confirmRestore(parts: {
  readonly checkpoints: CheckpointStore;
  readonly tiles: PostgresTiles;
  readonly anchors: readonly CheckpointAnchor[];
  readonly keys: SealingKeys;
}): Promise<Checkpoint> {
  const { checkpoints, tiles, anchors, keys } = parts;
  const tree = await sealedTree(checkpoints, tiles, keys.verifiers);
  const checkpoint = signCheckpoint({ size: tree.size, root: tree.root() }, new Date(), keys.signers, true);
  for (const anchor of anchors) await anchor.publish(checkpoint);
  return checkpoint;
}
