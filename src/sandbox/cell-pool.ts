import type { Log } from '../platform/telemetry/log.js';
import type { CellBase } from './cell-job.js';
import { type CellKind, isSameKind } from './cell-kind.js';
import { CellRefill } from './cell-refill.js';
import type { Cell } from './cell.js';
import { ColdStarts } from './cold-starts.js';
import type { Removals } from './removals.js';
import type { CellFigures } from './sandbox.js';
import { WaitingTakes } from './waiting-takes.js';

export interface CellPoolOptions {
  /** Ready cells per default kind, without an owner. 0: every cell is made when it is needed. */
  readonly warmPerKind: number;
  /** How long a used cell waits for its user's next job. 0: it is removed after one job. */
  readonly restMs: number;
  readonly jobsMax: number;
  /** Counted from its first job. */
  readonly ageMsMax: number;
  /** Cells in any state. Waiting cells are removed to make room for runs; no cell is made ready beyond this number. */
  readonly cellsMax: number;
  /** Whether a run that waits for a new cell waits for its interpreter as well. Default: false. */
  readonly preloadsColdCells?: boolean;
  /** Concurrent starts of cells that a run waits for. Default: one per CPU. */
  readonly startsMax?: number;
}

/**
 * Warm cells. A cell that has run a job belongs to its user. It runs further jobs of that user only, one at a time. It
 * is removed at its limit of jobs, age or rest, or after anything unexpected.
 */
export class CellPool {
  private readonly ready: Cell[] = [];
  /** Ordered by rest, longest first. */
  private readonly resting: Cell[] = [];
  private readonly busy = new Set<Cell>();
  private readonly opening = new Set<Cell>();
  private readonly refill: CellRefill;
  private readonly starts: ColdStarts;
  private readonly waiting: WaitingTakes;
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
      isStarting: () => this.starts.inProgress,
      room: () => this.room,
      addReady: (kind: CellKind) => this.addReady(kind),
    };
    this.refill = new CellRefill(options.warmPerKind, pool, log);
    this.starts = new ColdStarts(options.startsMax);
    this.waiting = new WaitingTakes(this.starts);
  }

  get figures(): CellFigures {
    const { ready, resting, busy, waiting, refill, coldStarts } = this;
    return {
      ready: ready.length,
      resting: resting.length,
      busy: busy.size + waiting.count,
      refilling: refill.count,
      coldStarts,
    };
  }

  /** Whether the container of this name is a cell of this pool, or is one that is being removed. */
  has(name: string): boolean {
    return this.removals.has(name) || this.all().some((cell) => cell.name === name);
  }

  /** From now on, only cells of these kinds are kept ready. */
  keepReady(kinds: readonly CellKind[]): void {
    this.refill.keep(kinds);
    for (const cell of this.ready.filter(({ kind }) => !this.refill.isKept(kind))) this.retire(cell);
  }

  /**
   * Takes a cell of the user, a ready or a new one; `release` returns it.
   * @param base what the job has in common with others: a cell that has it already comes first
   * @throws SandboxFailure, before user code
   */
  async take(userId: string, kind: CellKind, base: CellBase | null = null): Promise<Cell> {
    const available = () => this.takeAvailable(userId, kind, base);
    return (
      available() ??
      // A ready cell may have been made meanwhile.
      this.waiting.wait(userId, kind, async () => available() ?? this.coldStart(userId, kind))
    );
  }

  /** @param reusable false if anything was unexpected */
  release(cell: Cell, reusable: boolean): void {
    this.busy.delete(cell);
    const { jobsMax, ageMsMax, restMs } = this.options;
    const now = performance.now();
    const worn = cell.jobs >= jobsMax || now - (cell.usedSince ?? now) >= ageMsMax;
    if (!reusable || worn || cell.isClosed || restMs === 0 || this.closed) return this.retire(cell);
    if (this.waiting.handOver(cell)) return this.occupy(cell, cell.userId!);
    cell.restingSince = now;
    this.resting.push(cell);
    this.watchRest();
  }

  /** Removes every cell without a job. Ready cells are replaced by new ones. */
  drain(): void {
    for (const cell of [...this.ready, ...this.resting]) this.retire(cell);
  }

  /** Resolves when no cell is being made or removed. */
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

  /** How many more cells are allowed; negative if there are too many. */
  private get room(): number {
    return this.options.cellsMax - new Set(this.all()).size;
  }

  private takeAvailable(userId: string, kind: CellKind, base: CellBase | null): Cell | undefined {
    const fits = (cell: Cell): boolean => isSameKind(cell.kind, kind);
    const own = this.resting.filter((cell) => cell.userId === userId && fits(cell));
    const ready = this.ready.find(fits);
    // A cell that keeps something else may be wanted again: by the suite that a checker belongs to.
    const cell =
      own.findLast((each) => each.base === base) ??
      (base ? (own.findLast((each) => each.base === null) ?? ready) : undefined) ??
      own.at(-1) ??
      ready;
    if (!cell) return undefined;
    this.removeFromLists(cell);
    this.occupy(cell, userId);
    this.refill.checkSoon();
    return cell;
  }

  private async coldStart(userId: string, kind: CellKind): Promise<Cell> {
    this.coldStarts += 1;
    const cell = this.make(kind);
    // Occupied before the first await, so that it counts against the maximum.
    this.occupy(cell, userId);
    this.makeRoom();
    try {
      await this.open(cell, this.options.preloadsColdCells);
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
      await this.open(cell, true);
    } catch (error) {
      this.retire(cell);
      throw error;
    }
    // The default kinds may have changed meanwhile.
    if (cell.isClosed || !this.refill.isKept(kind)) return this.retire(cell);
    this.ready.push(cell);
  }

  private occupy(cell: Cell, userId: string): void {
    cell.userId = userId;
    cell.usedSince ??= performance.now();
    this.busy.add(cell);
  }

  private async open(cell: Cell, preloads = false): Promise<void> {
    this.opening.add(cell);
    try {
      await this.removals.untilBelowMax();
      await cell.open();
      if (preloads) await cell.startInterpreter();
      void cell.closed.then(() => this.lost(cell));
    } finally {
      this.opening.delete(cell);
    }
  }

  /** The worker's slots bound the busy cells. Resting cells are removed first, then ready ones. */
  private makeRoom(): void {
    while (this.room < 0) {
      const spare = this.resting[0] ?? this.ready[0];
      if (!spare) return;
      this.retire(spare);
    }
  }

  /** The launcher ended unexpectedly: killed from outside, or the engine is down. A busy cell fails its run itself. */
  private lost(cell: Cell): void {
    if (this.ready.includes(cell) || this.resting.includes(cell)) this.retire(cell);
  }

  private removeFromLists(cell: Cell): void {
    for (const list of [this.ready, this.resting]) {
      const at = list.indexOf(cell);
      if (at >= 0) list.splice(at, 1);
    }
  }

  private retire(cell: Cell): void {
    this.removeFromLists(cell);
    const removal = cell.remove().catch((error: unknown) => {
      this.log.warn({ err: error, container: cell.name }, 'container not removed; the sweep will remove it');
    });
    this.removals.add(cell.name, removal);
    this.refill.checkSoon();
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
