import { type Checkpoint, openCheckpoint } from '../../sealing/proofs/checkpoint.js';
import type { NoteVerifier } from '../../sealing/proofs/signed-note.js';
import type { CheckpointAnchor } from '../../sealing/sealer/anchor.js';
import type { CheckpointStore } from '../../sealing/sealer/checkpoint-store.js';
import type { Faults } from './finding.js';

/** Compared per source, besides the database: one that matches covers all earlier ones, which only narrow down a fault. */
const PER_SOURCE_MAX = 4_096;

/** A checkpoint and who keeps it. */
export interface KeptCheckpoint {
  readonly checkpoint: Checkpoint;
  /** In words. */
  readonly keeper: string;
}

export const DATABASE = 'the database';

/** Every checkpoint of more than `after` events in the database; one that is not signed is a fault. */
export async function checkpointsOfDatabase(
  store: CheckpointStore,
  verifiers: readonly NoteVerifier[],
  after: number,
  faults: Faults,
): Promise<KeptCheckpoint[]> {
  const kept: KeptCheckpoint[] = [];
  for await (const { size, note } of store.after(after)) {
    const opened = openCheckpoint(note, verifiers);
    if ('fault' in opened) faults.add(`the checkpoint of ${size} events in ${DATABASE} ${opened.fault}`);
    else if (opened.checkpoint.size !== size)
      faults.add(`the checkpoint of ${size} events in ${DATABASE} is another one`);
    else kept.push({ checkpoint: opened.checkpoint, keeper: DATABASE });
  }
  return kept;
}

/**
 * The checkpoints that an anchor keeps, oldest first. Those that are not signed by a known key are ignored: anyone may be
 * able to write there. Those that a confirmed restore has made void are left out.
 */
export async function checkpointsOfAnchor(
  anchor: CheckpointAnchor,
  verifiers: readonly NoteVerifier[],
): Promise<{ readonly kept: KeptCheckpoint[]; readonly ignored: number; readonly restored: Checkpoint[] }> {
  let kept: KeptCheckpoint[] = [];
  let ignored = 0;
  const restored: Checkpoint[] = [];
  for (const note of await thinned(anchor.notes())) {
    const opened = openCheckpoint(note, verifiers);
    if ('fault' in opened) {
      ignored += 1;
      continue;
    }
    const { checkpoint } = opened;
    if (checkpoint.restored) {
      kept = kept.filter((earlier) => earlier.checkpoint.size <= checkpoint.size);
      restored.push(checkpoint);
    }
    kept.push({ checkpoint, keeper: anchor.name });
  }
  return { kept, ignored, restored };
}

/** All of them if there are not many; else the newer half, and of the older ones the fewer the older they are. */
async function thinned(notes: AsyncIterable<string>): Promise<string[]> {
  let kept: string[] = [];
  for await (const note of notes) {
    kept.push(note);
    if (kept.length > PER_SOURCE_MAX) {
      const half = kept.length / 2;
      // A confirmed restore changes what the others mean.
      kept = kept.filter((each, index) => index > half || index % 2 === 0 || each.includes('\nrestored at '));
    }
  }
  return kept;
}
