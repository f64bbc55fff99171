import type { Log } from '../telemetry/log.js';
import type { Cell } from './cell.js';
import { type CellKind, isSameKind } from './cell-kind.js';
import type { Removals } from './removals.js';

/** Refills at a time: more would take the CPU from the runs that empty the pool. */
export const REFILLS_MAX = 2;
/** A refill waits for a pause between runs, but no longer than this. */
const REFILL_PATIENCE_MS = 1_000;
const REFILL_LOOK_MS = 50;
/** After a refill that failed: the engine is away, or the image is. */
const REFILL_RETRY_MS = 5_000;

export interface CellPoolOptions {
  /** Kept ready of each usual kind, without an owner; 0: every cell is made when it is needed. */
  readonly warmPerKind: number;
  /** A cell is one user's: for how long it waits for that user's next job. 0: it is removed after one job. */
  readonly restMs: number;
  readonly jobsMax: number;
  readonly ageMsMax: number;
  /** Cells of any state, at most; those that rest make room. */
  readonly cellsMax: number;
}

export interface CellFigures {
  readonly ready: number;
  readonly resting: number;
  readonly busy: number;
  readonly refilling: number;
  /** Since the start: runs that had to wait for a container. */
  readonly coldStarts: number;
}

/**
 * Warm cells. One that has had a job belongs to its user: it serves that user's next jobs, one at a time, and nobody else's,
 * until it is worn (by jobs, age, rest or anything odd) and removed.
 */
export class CellPool {
  private readonly ready: Cell[] = [];
  /** The one that rests longest first. */
  private readonly resting: Cell[] = [];
  private readonly busy = new Set<Cell>();
  private readonly opening = new Set<Cell>();
  private usual: readonly CellKind[] = [];
  private coldStarts = 0;
  private closed = false;
  private refillTimer: NodeJS.Timeout | undefined;
  private shortSince: number | null = null;
  private restTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: CellPoolOptions,
    private readonly make: (kind: CellKind) => Cell,
    private readonly removals: Removals,
    private readonly log: Log,
  ) {}

  get figures(): CellFigures {
    const { ready, resting, busy, opening, coldStarts } = this;
    return {
      ready: ready.length,
      resting: resting.length,
      busy: busy.size,
      refilling: [...opening].filter((cell) => !busy.has(cell)).length,
      coldStarts,
    };
  }

  has(name: string): boolean {
    return this.removals.has(name) || this.all().some((cell) => cell.name === name);
  }

  /** From now on cells of these kinds are kept ready. */
  keepReady(kinds: readonly CellKind[]): void {
    this.usual = this.options.warmPerKind > 0 ? kinds : [];
    this.refillLater(0);
  }

  /** One of the user's own, one that is ready, or a new one; `give` it back. @throws SandboxFailure, before user code */
  async take(userId: string, kind: CellKind): Promise<Cell> {
    const fits = (cell: Cell): boolean => isSameKind(cell.kind, kind);
    const own = this.resting.findLast((cell) => cell.userId === userId && fits(cell));
    const cell = own ?? this.ready.find(fits);
    if (!cell) return this.coldStart(userId, kind);
    this.drop(cell);
    cell.userId = userId;
    this.busy.add(cell);
    this.refillLater(REFILL_LOOK_MS);
    return cell;
  }

  /** @param reusable false where anything was odd */
  give(cell: Cell, reusable: boolean): void {
    this.busy.delete(cell);
    const { jobsMax, ageMsMax, restMs } = this.options;
    const now = performance.now();
    const worn = cell.jobs >= jobsMax || now - cell.madeAt >= ageMsMax;
    if (!reusable || worn || restMs === 0 || this.closed) return this.retire(cell);
    cell.restingSince = now;
    this.resting.push(cell);
    this.watchRest();
  }

  /** Removes every cell that runs nothing. */
  drain(): void {
    for (const cell of [...this.ready, ...this.resting]) this.retire(cell);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.refillTimer);
    clearTimeout(this.restTimer);
    this.drain();
  }

  private all(): Cell[] {
    return [...this.ready, ...this.resting, ...this.busy, ...this.opening];
  }

  private async coldStart(userId: string, kind: CellKind): Promise<Cell> {
    this.coldStarts += 1;
    const cell = this.make(kind);
    cell.userId = userId;
    // Its place is taken before anything is waited for.
    this.busy.add(cell);
    try {
      await this.open(cell);
      return cell;
    } catch (error) {
      this.busy.delete(cell);
      this.retire(cell);
      throw error;
    }
  }

  private async open(cell: Cell): Promise<void> {
    this.opening.add(cell);
    try {
      this.makeRoom();
      await this.removals.room();
      await cell.open();
      void cell.closed.then(() => this.lost(cell));
    } finally {
      this.opening.delete(cell);
    }
  }

  /** Those that run are bounded by the worker's slots; those that wait for their user go first, then those for anybody. */
  private makeRoom(): void {
    while (new Set(this.all()).size > this.options.cellsMax) {
      const spare = this.resting[0] ?? this.ready[0];
      if (!spare) return;
      this.retire(spare);
    }
  }

  /** A launcher that ends while nobody asked it to: killed from outside, or the engine is gone. */
  private lost(cell: Cell): void {
    if (!this.drop(cell)) return;
    this.retire(cell);
    this.refillLater(REFILL_RETRY_MS);
  }

  /** @returns whether it was there */
  private drop(cell: Cell): boolean {
    for (const list of [this.ready, this.resting]) {
      const at = list.indexOf(cell);
      if (at >= 0) return list.splice(at, 1).length > 0;
    }
    return false;
  }

  private retire(cell: Cell): void {
    this.drop(cell);
    const removal = cell.remove().catch((error: unknown) => {
      this.log.warn({ err: error, container: cell.name }, 'container not removed; the sweep will');
    });
    this.removals.add(cell.name, removal);
  }

  private watchRest(): void {
    clearTimeout(this.restTimer);
    const [oldest] = this.resting;
    if (!oldest || this.closed) return;
    const leftMs = oldest.restingSince + this.options.restMs - performance.now();
    this.restTimer = setTimeout(
      () => {
        const { restMs } = this.options;
        for (const cell of this.resting.filter(({ restingSince }) => restingSince + restMs <= performance.now())) {
          this.retire(cell);
        }
        this.watchRest();
      },
      Math.max(1, leftMs),
    ).unref();
  }

  private refillLater(delayMs: number): void {
    if (this.closed || this.usual.length === 0) return;
    clearTimeout(this.refillTimer);
    this.refillTimer = setTimeout(() => this.refill(), delayMs).unref();
  }

  private refill(): void {
    const missing = this.usual.flatMap((kind) => this.missingOf(kind));
    if (missing.length === 0) return void (this.shortSince = null);
    this.shortSince ??= performance.now();
    const patient = this.busy.size > 0 && performance.now() - this.shortSince < REFILL_PATIENCE_MS;
    if (patient) return this.refillLater(REFILL_LOOK_MS);
    for (const kind of missing.slice(0, Math.max(0, REFILLS_MAX - this.figures.refilling))) void this.refillOne(kind);
  }

  private missingOf(kind: CellKind): CellKind[] {
    const there = [...this.ready, ...this.opening].filter(
      (cell) => cell.userId === null && isSameKind(cell.kind, kind),
    );
    return Array.from({ length: Math.max(0, this.options.warmPerKind - there.length) }, () => kind);
  }

  private async refillOne(kind: CellKind): Promise<void> {
    const cell = this.make(kind);
    try {
      await this.open(cell);
      if (this.closed) return this.retire(cell);
      this.ready.push(cell);
      this.refillLater(0);
    } catch (error) {
      this.retire(cell);
      if (this.closed) return;
      this.log.warn({ err: error, image: kind.image }, 'no cell could be made ready; later again');
      this.refillLater(REFILL_RETRY_MS);
    }
  }
}
