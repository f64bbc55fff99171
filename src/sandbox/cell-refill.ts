import type { Log } from '../platform/telemetry/log.js';
import { type CellKind, isSameKind } from './cell-kind.js';

/** Concurrent refills: more would take CPU from the runs that empty the pool. */
export const REFILLS_MAX = 2;
/** A refill waits this long at most for a pause between runs. It waits longer only while a run waits for a cell. */
export const REFILL_WAIT_MS_MAX = 1_000;
const CHECK_DELAY_MS = 50;
/** Delay after a failure to make a cell of a kind: the engine is down, or the image is missing. */
export const REFILL_RETRY_MS = 5_000;

/** What the refill needs from the pool. */
export interface RefillTarget {
  readyOf(kind: CellKind): number;
  /** Whether anything runs. */
  isBusy(): boolean;
  /** Whether a run waits for a cell that is being made for it. */
  isStarting(): boolean;
  /** How many more cells there may be. */
  room(): number;
  /** Makes a cell and adds it to the ready ones. */
  addReady(kind: CellKind): Promise<void>;
}

/** Keeps a number of cells of each given kind ready. */
export class CellRefill {
  private kinds: readonly CellKind[] = [];
  private readonly inProgress = new Map<Promise<void>, CellKind>();
  private readonly pausedUntil = new Map<CellKind, number>();
  private timer: NodeJS.Timeout | undefined;
  private dueAt = Number.POSITIVE_INFINITY;
  private shortSince: number | null = null;
  private closed = false;

  constructor(
    private readonly warmPerKind: number,
    private readonly pool: RefillTarget,
    private readonly log: Log,
  ) {}

  get count(): number {
    return this.inProgress.size;
  }

  keep(kinds: readonly CellKind[]): void {
    this.kinds = this.warmPerKind > 0 ? kinds : [];
    this.pausedUntil.clear();
    this.scheduleCheck(0);
  }

  isKept(kind: CellKind): boolean {
    return !this.closed && this.kinds.some((kept) => isSameKind(kept, kind));
  }

  /** A cell may be missing: checks soon. */
  checkSoon(): void {
    this.scheduleCheck(CHECK_DELAY_MS);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  /** Resolves when the refills under way have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.inProgress.keys());
  }

  private scheduleCheck(delayMs: number): void {
    const at = performance.now() + delayMs;
    if (this.closed || this.kinds.length === 0 || this.dueAt <= at) return;
    this.dueAt = at;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refillDue(), delayMs).unref();
  }

  private refillDue(): void {
    this.dueAt = Number.POSITIVE_INFINITY;
    const now = performance.now();
    const missing = this.kinds.flatMap((kind) => this.missingOf(kind));
    if (missing.length === 0) {
      this.shortSince = null;
      return;
    }
    this.shortSince ??= now;
    const mayWait = now - this.shortSince < REFILL_WAIT_MS_MAX;
    // A start for a waiting run goes first. If these never cease, a refill would cost one run what it saves another.
    if (this.pool.isStarting() || (this.pool.isBusy() && mayWait)) return this.checkSoon();
    const due = missing.filter((kind) => (this.pausedUntil.get(kind) ?? 0) <= now);
    const count = Math.min(REFILLS_MAX - this.inProgress.size, this.pool.room());
    for (const kind of due.slice(0, Math.max(0, count))) this.begin(kind);
    if (due.length < missing.length) this.scheduleCheck(REFILL_RETRY_MS);
  }

  private missingOf(kind: CellKind): CellKind[] {
    const coming = [...this.inProgress.values()].filter((other) => isSameKind(other, kind));
    const missing = this.warmPerKind - this.pool.readyOf(kind) - coming.length;
    return Array.from({ length: Math.max(0, missing) }, () => kind);
  }

  private begin(kind: CellKind): void {
    const refill = this.pool.addReady(kind).catch((error: unknown) => {
      if (this.closed) return;
      this.pausedUntil.set(kind, performance.now() + REFILL_RETRY_MS);
      this.log.warn({ err: error, image: kind.image }, 'no cell could be made ready; will retry later');
    });
    this.inProgress.set(refill, kind);
    void refill.then(() => {
      this.inProgress.delete(refill);
      this.scheduleCheck(0);
    });
  }
}
