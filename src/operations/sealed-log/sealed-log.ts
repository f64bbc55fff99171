import { DomainError, Unavailable } from '../../kernel/errors.js';
import { type Checkpoint, openCheckpoint } from '../../sealing/proofs/checkpoint.js';
import { consistencyProof } from '../../sealing/proofs/merkle-proofs.js';
import type { NoteVerifier } from '../../sealing/proofs/signed-note.js';
import type { CheckpointStore } from '../../sealing/sealer/checkpoint-store.js';
import type { PostgresTiles } from '../../sealing/tiles/postgres-tiles.js';

/** What the sealed log tells everybody: its newest checkpoint, its keys, and that it only ever grew. */
export class SealedLog {
  constructor(
    private readonly checkpoints: CheckpointStore,
    private readonly tiles: PostgresTiles,
    /** The keys by which checkpoints may be signed, the present one first. */
    readonly verifiers: () => Promise<readonly NoteVerifier[]>,
  ) {}

  /** @throws DomainError `nothing_sealed`; Unavailable */
  async newest(): Promise<Checkpoint> {
    const newest = await this.checkpoints.newest();
    if (!newest) throw new DomainError('nothing_sealed', 'Nothing is sealed yet', 'not_found');
    const opened = openCheckpoint(newest.note, await this.verifiers());
    // Somebody changed it, or the settings lack its key. `verify` tells.
    if ('fault' in opened) throw new Unavailable('sealed-log', `the newest checkpoint ${opened.fault}`);
    return opened.checkpoint;
  }

  /**
   * @param to default: the size of the newest checkpoint
   * @throws DomainError `sizes_not_ascending`, `size_not_sealed`; Unavailable
   */
  async consistency(from: number, to?: number): Promise<{ readonly to: number; readonly proof: readonly Buffer[] }> {
    const sealed = (await this.checkpoints.newest())?.size ?? 0;
    const end = to ?? Math.max(sealed, 1);
    if (from > end) throw new DomainError('sizes_not_ascending', '`from` must not be greater than `to`', 'invalid');
    if (end > sealed) {
      throw new DomainError('size_not_sealed', `Only ${sealed} events are sealed`, 'not_found', { sealed });
    }
    return { to: end, proof: await consistencyProof(from, end, this.tiles.subtrees) };
  }
}
