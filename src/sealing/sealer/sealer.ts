import type { Pool } from 'pg';

import { Unavailable } from '../../kernel/errors.js';
import { delay } from '../../platform/async/delay.js';
import type { LeaderLock } from '../../platform/postgres/leader-lock.js';
import { isOutage } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import { type Checkpoint, openCheckpoint, signCheckpoint } from '../proofs/checkpoint.js';
import { rootOf } from '../proofs/merkle-proofs.js';
import type { NoteSigner, NoteVerifier } from '../proofs/signed-note.js';
import type { GrowingTree } from '../tiles/growing-tree.js';
import type { PostgresTiles } from '../tiles/postgres-tiles.js';
import type { CheckpointAnchor } from './anchor.js';
import type { CheckpointStore } from './checkpoint-store.js';
import { leafHashesAfter } from './leaf-hashes.js';
import { SealRefused, sealedTree } from './sealed-tree.js';

/** Between two checkpoints, while events come. */
export const SEAL_INTERVAL_MS = 1_000;
/** Sealed by one checkpoint: 64 tiles. A sealer that is behind continues at once. */
export const SEAL_EVENTS_MAX = 16_384;
/** After a failure or a refusal. */
const RETRY_DELAY_MS = 2_000;
const THIN_INTERVAL_MS = 3_600_000;
/** After that, one checkpoint of each hour is kept: any other one can still be verified by who has it. */
export const CHECKPOINTS_KEPT_MS = 86_400_000;

export interface SealingKeys {
  /** They sign: the key of the log, and its successor while it is replaced. */
  readonly signers: readonly NoteSigner[];
  /** Every key that earlier checkpoints may be signed with. */
  readonly verifiers: readonly NoteVerifier[];
}

export interface SealerOptions {
  readonly pool: Pool;
  readonly lock: LeaderLock;
  readonly checkpoints: CheckpointStore;
  readonly tiles: PostgresTiles;
  readonly anchors: readonly CheckpointAnchor[];
  /** Read whenever this process begins to lead. */
  readonly keys: () => Promise<SealingKeys>;
  readonly log: Log;
  /** Called when this process refuses to continue the log that it found, and when it no longer does. */
  readonly onRefusal?: (refused: boolean) => void;
  readonly intervalMs?: number;
}

interface KeptNote {
  readonly anchor: CheckpointAnchor;
  readonly note: string | null;
}

/**
 * Adds the events of the log to a Merkle tree, off the append path, and signs a checkpoint every second while events
 * come. One leader; the fence against a late one is the unique predecessor of each checkpoint.
 */
export class Sealer {
  private refused = false;
  /** Anchors that fail. */
  private readonly warned = new Set<string>();

  constructor(private readonly options: SealerOptions) {}

  /** Seals whenever it leads, until the signal aborts. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    await this.options.lock.run(signal, (lead) => this.lead(lead));
  }

  private async lead(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.follow(signal);
      } catch (error) {
        this.report(error);
        await delay(RETRY_DELAY_MS, { signal });
      }
    }
    this.setRefused(false);
  }

  /** Seals until the signal aborts. Returns if another sealer has continued. @throws SealRefused */
  private async follow(signal: AbortSignal): Promise<void> {
    const { intervalMs = SEAL_INTERVAL_MS } = this.options;
    const keys = await this.options.keys();
    const tree = await this.locate(keys.verifiers);
    this.setRefused(false);
    let thinAt = 0;
    while (!signal.aborted) {
      const startedAt = performance.now();
      const first = tree.size;
      const checkpoint = await this.sealNext(tree, keys.signers);
      if (checkpoint === 'continued elsewhere') return;
      if (checkpoint) await this.publish(checkpoint);
      if (startedAt >= thinAt) {
        await this.options.checkpoints.thin(new Date(Date.now() - CHECKPOINTS_KEPT_MS));
        thinAt = startedAt + THIN_INTERVAL_MS;
      }
      if (tree.size - first < SEAL_EVENTS_MAX)
        await delay(Math.max(0, intervalMs - (performance.now() - startedAt)), { signal });
    }
  }

  /** Null: there was nothing to seal. */
  private async sealNext(
    tree: GrowingTree,
    signers: readonly NoteSigner[],
  ): Promise<Checkpoint | 'continued elsewhere' | null> {
    const previous = tree.size;
    const found = await leafHashesAfter(this.options.pool, previous, SEAL_EVENTS_MAX);
    if (!found) return null;
    const tiles = tree.append(found.hashes);
    if (tree.size !== found.last) throw new SealRefused(`events between ${previous} and ${found.last} are missing`);
    const checkpoint = signCheckpoint({ size: tree.size, root: tree.root() }, new Date(), signers);
    const saved = await this.options.checkpoints.save(previous, checkpoint, tiles);
    return saved ? checkpoint : 'continued elsewhere';
  }

  /** @throws SealRefused if the tree is not the one that was signed */
  private async locate(verifiers: readonly NoteVerifier[]): Promise<GrowingTree> {
    const { checkpoints, tiles, anchors } = this.options;
    // Before the database: another sealer may continue meanwhile, and saves what it publishes first.
    const kept: KeptNote[] = [];
    for (const anchor of anchors) kept.push({ anchor, note: await this.newestOf(anchor) });
    const tree = await sealedTree(checkpoints, tiles, verifiers);
    for (const each of kept) await this.compare(each, tree.size, verifiers);
    return tree;
  }

  /** Null as well for an anchor that is unavailable: it is not waited for, and `verify` compares it, too. */
  private async newestOf(anchor: CheckpointAnchor): Promise<string | null> {
    try {
      return await anchor.newest();
    } catch (error) {
      this.anchorFailed(anchor, error);
      return null;
    }
  }

  private async compare({ anchor, note }: KeptNote, size: number, verifiers: readonly NoteVerifier[]): Promise<void> {
    if (note === null) return;
    const opened = openCheckpoint(note, verifiers);
    if ('fault' in opened) {
      this.options.log.warn({ anchor: anchor.name, fault: opened.fault }, 'a kept checkpoint is ignored');
      return;
    }
    const { checkpoint } = opened;
    if (checkpoint.size > size) {
      throw new SealRefused(
        `${size} events are sealed, but ${anchor.name} has a checkpoint of ${checkpoint.size} from ${checkpoint.sealedAt}: ` +
          'the log was cut off, or restored from a backup (voidrunner seal accept-restore)',
      );
    }
    if (!checkpoint.root.equals(await rootOf(checkpoint.size, this.options.tiles.subtrees))) {
      throw new SealRefused(
        `the sealed log does not contain the checkpoint of ${checkpoint.size} that ${anchor.name} has`,
      );
    }
  }

  private async publish(checkpoint: Checkpoint): Promise<void> {
    for (const anchor of this.options.anchors) {
      try {
        await anchor.publish(checkpoint);
        this.warned.delete(anchor.name);
      } catch (error) {
        this.anchorFailed(anchor, error);
      }
    }
  }

  /** Warns once until it works again: each checkpoint covers all earlier ones. */
  private anchorFailed(anchor: CheckpointAnchor, error: unknown): void {
    if (!this.warned.has(anchor.name)) {
      this.options.log.warn({ err: error, anchor: anchor.name }, 'checkpoints are not kept outside the database');
    }
    this.warned.add(anchor.name);
  }

  private setRefused(refused: boolean): void {
    this.refused = refused;
    this.options.onRefusal?.(refused);
  }

  private report(error: unknown): void {
    const { log } = this.options;
    if (error instanceof SealRefused) {
      if (!this.refused) log.error({ err: error }, 'sealing refused');
      this.setRefused(true);
    } else if (!(error instanceof Unavailable || isOutage(error))) {
      log.error({ err: error }, 'sealing failed');
    }
  }
}
