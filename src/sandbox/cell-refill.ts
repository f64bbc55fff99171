import type { Log } from '../platform/telemetry/log.js';
import { type CellKind, isSameKind } from './cell-kind.js';

/** At a time: more would take the CPU from the runs that empty the pool. */
export const REFILLS_MAX = 2;
/** A refill waits for a pause between runs, but no longer than this, and longer only for cells that runs wait for. */
export const REFILL_PATIENCE_MS = 1_000;
const LOOK_MS = 50;
/** A kind of which none could be made: the engine is away, or the image is. */
export const REFILL_RETRY_MS = 5_000;

/** The pool, as its refill sees it. */
export interface Refilled {
  readyOf(kind: CellKind): number;
  /** Whether anything runs. */
  isBusy(): boolean;
  /** Whether a run waits for a cell that is being made for it. */
  isStarting(): boolean;
  /** How many more cells there may be. */
  room(): number;
  /** Makes one and puts it to those that are ready. */
  addReady(kind: CellKind): Promise<void>;
}

/** Keeps a number of cells of each usual kind ready. */
export class CellRefill {
  private usual: readonly CellKind[] = [];
  private readonly underWay = new Map<Promise<void>, CellKind>();
  private readonly pausedUntil = new Map<CellKind, number>();
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Number.POSITIVE_INFINITY;
  private shortSince: number | null = null;
  private closed = false;

  constructor(
    private readonly warmPerKind: number,
    private readonly pool: Refilled,
    private readonly log: Log,
  ) {}

  get count(): number {
    return this.underWay.size;
  }

  keep(kinds: readonly CellKind[]): void {
    this.usual = this.warmPerKind > 0 ? kinds : [];
    this.pausedUntil.clear();
    this.within(0);
  }

  isUsual(kind: CellKind): boolean {
    return !this.closed && this.usual.some((usual) => isSameKind(usual, kind));
  }

  /** One may be missing: looked at soon. */
  soon(): void {
    this.within(LOOK_MS);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Resolves when what is under way has come to its end. */
  async idle(): Promise<void> {
    await Promise.all(this.underWay.keys());
  }

  private within(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.closed || this.usual.length === 0 || this.dueAt <= at) return;
    this.dueAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refillDue(), delayMs).unref();
  }

  private refillDue(): void {
    this.dueAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const missing = this.usual.flatMap((kind) => this.missingOf(kind));
    if (missing.length === 0) {
      this.shortSince = null;
      return;
    }
    this.shortSince ??= now;
    const isPatient = now - this.shortSince < REFILL_PATIENCE_MS;
    // A start for a run that waits goes first; where they never end, what a refill would save, it would cost one of them.
    if (this.pool.isStarting() || (this.pool.isBusy() && isPatient)) return this.soon();
    const due = missing.filter((kind) => (this.pausedUntil.get(kind) ?? 0) <= now);
    const count = Math.min(REFILLS_MAX - this.underWay.size, this.pool.room());
    for (const kind of due.slice(0, Math.max(0, count))) this.begin(kind);
    if (due.length < missing.length) this.within(REFILL_RETRY_MS);
  }

  private missingOf(kind: CellKind): CellKind[] {
    const coming = [...this.underWay.values()].filter((other) => isSameKind(other, kind));
    const missing = this.warmPerKind - this.pool.readyOf(kind) - coming.length;
    return Array.from({ length: Math.max(0, missing) }, () => kind);
  }

  private begin(kind: CellKind): void {
    const refill = this.pool.addReady(kind).catch((error: unknown) => {
      if (this.closed) return;
      this.pausedUntil.set(kind, performance.now() + REFILL_RETRY_MS);
      this.log.warn({ err: error, image: kind.image }, 'no cell could be made ready; later again');
    });
    this.underWay.set(refill, kind);
    void refill.then(() => {
      this.underWay.delete(refill);
      this.within(0);
    });
  }
}
