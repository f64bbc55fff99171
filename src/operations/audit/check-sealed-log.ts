import type { StoredEvent } from '../../event-sourcing/core/stored-event.js';
import type { Checkpoint } from '../../sealing/proofs/checkpoint.js';
import { rootOf } from '../../sealing/proofs/merkle-proofs.js';
import type { NoteVerifier } from '../../sealing/proofs/signed-note.js';
import type { CheckpointAnchor } from '../../sealing/sealer/anchor.js';
import type { CheckpointStore } from '../../sealing/sealer/checkpoint-store.js';
import type { PostgresTiles } from '../../sealing/tiles/postgres-tiles.js';
import { type CheckReport, Faults } from './finding.js';
import { checkpointsOfAnchor, checkpointsOfDatabase, DATABASE, type KeptCheckpoint } from './kept-checkpoints.js';
import { SealedLogComparison } from './sealed-log-comparison.js';

const BATCH_EVENTS = 2_048;
/** Events are sealed within seconds: if some have waited longer, nothing seals. */
const SEAL_LATE_MS = 60_000;

export interface SealedLogParts {
  readonly log: {
    head(): Promise<{ readonly position: bigint }>;
    scan(after: bigint, until: bigint, batchEvents?: number): AsyncIterable<readonly StoredEvent[]>;
  };
  readonly tiles: PostgresTiles;
  readonly store: CheckpointStore;
  readonly anchors: readonly CheckpointAnchor[];
  /** Keys by which checkpoints may be signed. */
  readonly verifiers: readonly NoteVerifier[];
  /** A checkpoint that somebody kept, verified: the log must contain it. */
  readonly kept?: KeptCheckpoint | undefined;
  /** An earlier check ended with this one, verified: only later events are checked. */
  readonly since?: Checkpoint | undefined;
}

/**
 * The events are those that were sealed, in the way of a transparency log: the root of the Merkle tree over all of them
 * is the signed one, at every checkpoint that anyone keeps. If it is not, the hashes that the sealer stored tell which
 * event was changed; if they were changed as well, two checkpoints enclose it.
 */
export async function checkSealedLog(parts: SealedLogParts): Promise<CheckReport> {
  const { log, tiles, since } = parts;
  const faults = new Faults('events are those that were sealed');
  const first = since?.size ?? 0;
  const { checkpoints, notes } = await collect(parts, first, faults);
  const sealed = checkpoints.findLast(({ keeper }) => keeper === DATABASE)?.checkpoint.size ?? first;
  // Read last: each of these checkpoints is of events that were recorded before.
  const head = Number((await log.head()).position);
  if (since && !(await contains(tiles, since, head))) {
    faults.add(`the log does not contain the checkpoint of ${since.size} from ${since.sealedAt}`);
    return faults.report(`${head} events`);
  }
  const comparison = await SealedLogComparison.start(tiles, first, sealed, checkpoints, faults);
  let late: string | undefined;
  for await (const batch of log.scan(BigInt(first), BigInt(head), BATCH_EVENTS)) {
    await comparison.add(batch);
    late ??= batch.find(({ position, recordedAt }) => position > sealed && isLate(recordedAt))?.recordedAt;
  }
  await comparison.end(head);
  const unsealed = Math.max(0, head - sealed);
  if (late !== undefined) {
    faults.add(`${unsealed} events since ${late} are not sealed: does no process have the role sealer?`);
  }
  const tail = unsealed > 0 ? [`${unsealed} more are not sealed yet`] : [];
  const examined = [`${Math.min(sealed, head) - first} events, ${checkpoints.length} checkpoints`, ...tail, ...notes];
  return faults.report(examined.join(', '));
}

const isLate = (recordedAt: string): boolean => Date.now() - Date.parse(recordedAt) > SEAL_LATE_MS;

/** All checkpoints of more than `first` events, by size, and remarks about them. Anchors are read before the database. */
async function collect(
  { anchors, store, verifiers, kept }: SealedLogParts,
  first: number,
  faults: Faults,
): Promise<{ readonly checkpoints: readonly KeptCheckpoint[]; readonly notes: readonly string[] }> {
  const checkpoints = kept ? [kept] : [];
  const notes: string[] = [];
  for (const anchor of anchors) {
    const found = await checkpointsOfAnchor(anchor, verifiers);
    checkpoints.push(...found.kept);
    if (found.ignored > 0) notes.push(`${found.ignored} in ${anchor.name} are not signed by a known key`);
    for (const { size, sealedAt } of found.restored) notes.push(`restored to ${size} events at ${sealedAt}`);
  }
  checkpoints.push(...(await checkpointsOfDatabase(store, verifiers, first, faults)));
  return {
    checkpoints: checkpoints
      .filter(({ checkpoint }) => checkpoint.size > first)
      .sort((one, other) => one.checkpoint.size - other.checkpoint.size),
    notes: [...new Set(notes)],
  };
}

/** By the stored hashes, which the comparison then checks from there on. */
async function contains(tiles: PostgresTiles, { size, root }: Checkpoint, head: number): Promise<boolean> {
  if (size > head) return false;
  try {
    return root.equals(await rootOf(size, tiles.subtrees));
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
