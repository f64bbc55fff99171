import type { StoredEvent } from '../../event-sourcing/core/stored-event.js';
import { CompactTree } from '../../sealing/proofs/compact-tree.js';
import { eventLeaf } from '../../sealing/proofs/event-leaf.js';
import { hashesIn, leafHash } from '../../sealing/proofs/hashes.js';
import { subtreesOf } from '../../sealing/proofs/subtrees.js';
import { edgeOf, GrowingTree } from '../../sealing/tiles/growing-tree.js';
import type { PostgresTiles } from '../../sealing/tiles/postgres-tiles.js';
import { type Tile, TILE_HASHES, tileName } from '../../sealing/tiles/tile.js';
import type { Faults } from './finding.js';
import { DATABASE, type KeptCheckpoint } from './kept-checkpoints.js';

/** Positions that are remembered because their event does not have the hash that was sealed. */
const DIFFERING_MAX = 1_000;
const STORED_HASHES = 'es.tiles';

/** Two trees that grow side by side: of the events, and of the hashes that the sealer stored. */
export class SealedLogComparison {
  private readonly differing: number[] = [];
  /** The last checkpoint that the events match. */
  private matched: number;
  private next = 0;
  private eventsDiffer = false;
  private hashesDiffer = false;
  /** Keepers whose first fault is reported: all their later checkpoints differ as well. */
  private readonly reported = new Set<string>();
  /** What follows a gap cannot be compared if it is not sealed. */
  private stopped = false;
  /** Stored hashes that are not in the tree yet. */
  private readonly added: Buffer[] = [];
  /** Tiles above the lowest level, as they must be. */
  private readonly upper = new Map<string, Tile>();

  private constructor(
    private readonly tiles: PostgresTiles,
    /** By checkpoints in the database. */
    private readonly sealed: number,
    private readonly ofEvents: CompactTree,
    private readonly ofHashes: CompactTree,
    /** Grows with the stored hashes, too: it tells which other hashes the sealer must have stored. */
    private readonly tree: GrowingTree,
    private readonly checkpoints: readonly KeptCheckpoint[],
    private readonly faults: Faults,
  ) {
    this.matched = ofEvents.size;
  }

  static async start(
    tiles: PostgresTiles,
    since: number,
    sealed: number,
    checkpoints: readonly KeptCheckpoint[],
    faults: Faults,
  ): Promise<SealedLogComparison> {
    const subtrees = await tiles.subtrees(subtreesOf(0, since));
    const tree = new GrowingTree(since, await tiles.read(edgeOf(since)));
    const ofEvents = CompactTree.of(since, subtrees);
    return new SealedLogComparison(tiles, sealed, ofEvents, ofEvents.copy(), tree, checkpoints, faults);
  }

  /** @param batch in the order of positions, which may have gaps */
  async add(batch: readonly StoredEvent[]): Promise<void> {
    if (this.stopped) return;
    const last = Math.min(Number(batch.at(-1)!.position), this.sealed);
    const stored = await this.storedLeaves(this.ofEvents.size, last);
    for (const event of batch) {
      this.addGapBefore(Number(event.position), stored);
      if (this.stopped) break;
      this.addLeaf(leafHash(eventLeaf(event)), stored.get(this.ofEvents.size));
    }
    for (const tile of this.tree.append(Buffer.concat(this.added.splice(0)))) {
      if (tile.level > 0) this.upper.set(tileName(tile), tile);
    }
  }

  async end(head: number): Promise<void> {
    for (const { checkpoint, keeper } of this.checkpoints) {
      const { size, sealedAt } = checkpoint;
      if (size > head) {
        this.reportOnce(keeper, `the log ends at ${head}, but ${keeper} has a checkpoint of ${size} from ${sealedAt}`);
      } else if (size > this.sealed) {
        this.reportOnce(
          keeper,
          `${DATABASE} lacks the checkpoint of ${size} from ${sealedAt} that ${keeper} has, and any later one`,
        );
      }
    }
    this.reportDiffering();
    await this.compareUpperTiles();
  }

  private addGapBefore(position: number, stored: ReadonlyMap<number, Buffer>): void {
    const first = this.ofEvents.size + 1;
    if (first >= position) return;
    this.faults.add(
      first + 1 === position ? `position ${first} is missing` : `positions ${first} to ${position - 1} are missing`,
    );
    while (this.ofEvents.size + 1 < position && !this.stopped) {
      const hash = stored.get(this.ofEvents.size);
      if (hash) this.addLeaf(hash, hash);
      else this.stopped = true;
    }
  }

  private addLeaf(leaf: Buffer, stored: Buffer | undefined): void {
    this.ofEvents.append(leaf);
    if (stored) {
      this.ofHashes.append(stored);
      this.added.push(stored);
      if (!stored.equals(leaf) && this.differing.length < DIFFERING_MAX) this.differing.push(this.ofEvents.size);
    } else if (this.ofEvents.size <= this.sealed) {
      this.reportOnce(STORED_HASHES, `the stored hash of position ${this.ofEvents.size} is missing`);
    }
    for (; this.checkpoints[this.next]?.checkpoint.size === this.ofEvents.size; this.next += 1) {
      this.compare(this.checkpoints[this.next]!);
    }
  }

  private compare({ checkpoint, keeper }: KeptCheckpoint): void {
    const { size, root, sealedAt } = checkpoint;
    const eventsMatch = this.ofEvents.root().equals(root);
    const hashesMatch = this.ofHashes.size === size && this.ofHashes.root().equals(root);
    if (eventsMatch) this.matched = size;
    else this.eventsDiffer = true;
    if (!hashesMatch) this.hashesDiffer = true;
    if (eventsMatch || hashesMatch) return;
    const range = this.matched + 1 === size ? `position ${size}` : `a position from ${this.matched + 1} to ${size}`;
    this.reportOnce(
      keeper,
      `${range} is not what ${keeper} has a checkpoint of, from ${sealedAt}: it was changed, and its hash too`,
    );
  }

  private reportOnce(keeper: string, fault: string): void {
    if (!this.reported.has(keeper)) this.faults.add(fault);
    this.reported.add(keeper);
  }

  /** If the events match every checkpoint, it is the stored hash that was changed. */
  private reportDiffering(): void {
    for (const position of this.differing) {
      const isHash = !this.eventsDiffer && this.hashesDiffer;
      this.faults.add(
        isHash ? `the stored hash of position ${position} was changed` : `position ${position} was changed`,
      );
    }
  }

  /** By the number of the leaf. */
  private async storedLeaves(first: number, end: number): Promise<ReadonlyMap<number, Buffer>> {
    const [from, to] = [Math.floor(first / TILE_HASHES), Math.floor((end - 1) / TILE_HASHES)];
    const keys = Array.from({ length: to - from + 1 }, (_, index) => ({ level: 0, index: from + index }));
    const leaves = new Map<number, Buffer>();
    for (const { index, hashes } of await this.tiles.read(keys)) {
      for (const [at, hash] of hashesIn(hashes).entries()) leaves.set(index * TILE_HASHES + at, hash);
    }
    return leaves;
  }

  /** Proofs are computed from them. */
  private async compareUpperTiles(): Promise<void> {
    if (this.hashesDiffer) return;
    const stored = new Map((await this.tiles.read([...this.upper.values()])).map((tile) => [tileName(tile), tile]));
    for (const [key, { hashes }] of this.upper) {
      if (stored.get(key)?.hashes.subarray(0, hashes.length).equals(hashes) !== true)
        this.faults.add(`tile ${key} of the sealed log was changed`);
    }
  }
}
