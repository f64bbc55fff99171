import type { SandboxFigures } from './sandbox.js';
import type { Log } from '../platform/telemetry/log.js';
import type { Cell } from './cell.js';
import { type CellKind, isSameKind } from './cell-kind.js';
import { CellRefill } from './cell-refill.js';
import { ColdStarts } from './cold-starts.js';
import type { Removals } from './removals.js';

export interface CellPoolOptions {
  /** Kept ready of each usual kind, without an owner; 0: every cell is made when it is needed. */
  readonly warmPerKind: number;
  /** A cell is one user's: for how long it waits for that user's next job. 0: it is removed after one job. */
  readonly restMs: number;
  readonly jobsMax: number;
  /** From its first job on. */
  readonly ageMsMax: number;
  /** Cells of any state: those that wait make room for those that run, and none is made ready beyond it. */
  readonly cellsMax: number;
  /** Cells for runs that wait for them, at a time; default: one a CPU. */
  readonly startsMax?: number;
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
  private readonly refill: CellRefill;
  private readonly starts: ColdStarts;
  private coldStarts = 0;
  private closed = false;
  private restTimer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: CellPoolOptions,
    private readonly make: (kind: CellKind) => Cell,
    private readonly removals: Removals,
    private readonly log: Log,
  ) {
    const pool = {
      readyOf: (kind: CellKind) => this.ready.filter((cell) => isSameKind(cell.kind, kind)).length,
      isBusy: () => this.busy.size > 0,
      isStarting: () => this.starts.underWay,
      room: () => this.room,
      addReady: (kind: CellKind) => this.addReady(kind),
    };
    this.refill = new CellRefill(options.warmPerKind, pool, log);
    this.starts = new ColdStarts(options.startsMax);
  }

  get figures(): SandboxFigures {
    const { ready, resting, busy, starts, refill, coldStarts } = this;
    return {
      ready: ready.length,
      resting: resting.length,
      busy: busy.size + starts.waiting,
      refilling: refill.count,
      coldStarts,
    };
  }

  /** Whether the container of this name is a cell of ours, or was and is on its way out. */
  has(name: string): boolean {
    return this.removals.has(name) || this.all().some((cell) => cell.name === name);
  }

  /** From now on cells of these kinds are kept ready, and of no others. */
  keepReady(kinds: readonly CellKind[]): void {
    this.refill.keep(kinds);
    for (const cell of this.ready.filter(({ kind }) => !this.refill.isUsual(kind))) this.retire(cell);
  }

  /** One of the user's own, one that is ready, or a new one; `give` it back. @throws SandboxFailure, before user code */
  async take(userId: string, kind: CellKind): Promise<Cell> {
    return (
      this.takeAtHand(userId, kind) ??
      // Until its turn one may have come to rest.
      this.starts.run(async () => this.takeAtHand(userId, kind) ?? this.coldStart(userId, kind))
    );
  }

  /** @param reusable false where anything was odd */
  give(cell: Cell, reusable: boolean): void {
    this.busy.delete(cell);
    const { jobsMax, ageMsMax, restMs } = this.options;
    const now = performance.now();
    const worn = cell.jobs >= jobsMax || now - (cell.usedSince ?? now) >= ageMsMax;
    if (!reusable || worn || cell.isClosed || restMs === 0 || this.closed) return this.retire(cell);
    cell.restingSince = now;
    this.resting.push(cell);
    this.watchRest();
  }

  /** Removes every cell that runs nothing; those that are kept ready come anew. */
  drain(): void {
    for (const cell of [...this.ready, ...this.resting]) this.retire(cell);
  }

  /** Resolves when no cell is on its way, neither in nor out. */
  async idle(): Promise<void> {
    await this.refill.idle();
    await this.removals.idle();
  }

  close(): void {
    this.closed = true;
    this.refill.close();
    clearTimeout(this.restTimer);
    this.drain();
  }

  private all(): Cell[] {
    return [...this.ready, ...this.resting, ...this.busy, ...this.opening];
  }

  /** How many more there may be; negative where there are too many. */
  private get room(): number {
    return this.options.cellsMax - new Set(this.all()).size;
  }

  private takeAtHand(userId: string, kind: CellKind): Cell | undefined {
    const fits = (cell: Cell): boolean => isSameKind(cell.kind, kind);
    const own = this.resting.findLast((cell) => cell.userId === userId && fits(cell));
    const cell = own ?? this.ready.find(fits);
    if (!cell) return undefined;
    this.drop(cell);
    this.occupy(cell, userId);
    this.refill.soon();
    return cell;
  }

  private async coldStart(userId: string, kind: CellKind): Promise<Cell> {
    this.coldStarts += 1;
    const cell = this.make(kind);
    // Its place is taken before anything is waited for.
    this.occupy(cell, userId);
    this.makeRoom();
    try {
      await this.open(cell);
      return cell;
    } catch (error) {
      this.busy.delete(cell);
      this.retire(cell);
      throw error;
    }
  }

  private async addReady(kind: CellKind): Promise<void> {
    const cell = this.make(kind);
    try {
      await this.open(cell);
    } catch (error) {
      this.retire(cell);
      throw error;
    }
    // What was wanted may have changed meanwhile.
    if (cell.isClosed || !this.refill.isUsual(kind)) return this.retire(cell);
    this.ready.push(cell);
  }

  private occupy(cell: Cell, userId: string): void {
    cell.userId = userId;
    cell.usedSince ??= performance.now();
    this.busy.add(cell);
  }

  private async open(cell: Cell): Promise<void> {
    this.opening.add(cell);
    try {
      await this.removals.room();
      await cell.open();
      void cell.closed.then(() => this.lost(cell));
    } finally {
      this.opening.delete(cell);
    }
  }

  /** Those that run are bounded by the worker's slots; those that wait for their user go first, then those for anybody. */
  private makeRoom(): void {
    while (this.room < 0) {
      const spare = this.resting[0] ?? this.ready[0];
      if (!spare) return;
      this.retire(spare);
    }
  }

  /** A launcher that ends while nobody asked it to: killed from outside, or the engine is gone. One that runs fails its run. */
  private lost(cell: Cell): void {
    if (this.ready.includes(cell) || this.resting.includes(cell)) this.retire(cell);
  }

  private drop(cell: Cell): void {
    for (const list of [this.ready, this.resting]) {
      const at = list.indexOf(cell);
      if (at >= 0) list.splice(at, 1);
    }
  }

  private retire(cell: Cell): void {
    this.drop(cell);
    const removal = cell.remove().catch((error: unknown) => {
      this.log.warn({ err: error, container: cell.name }, 'container not removed; the sweep will');
    });
    this.removals.add(cell.name, removal);
    this.refill.soon();
  }

  private watchRest(): void {
    clearTimeout(this.restTimer);
    const [oldest] = this.resting;
    if (!oldest || this.closed) return;
    const leftMs = oldest.restingSince + this.options.restMs - performance.now();
    this.restTimer = setTimeout(() => this.endRests(), Math.max(1, leftMs)).unref();
  }

  private endRests(): void {
    const until = performance.now() - this.options.restMs;
    for (const cell of this.resting.filter(({ restingSince }) => restingSince <= until)) this.retire(cell);
    this.watchRest();
  }
}
