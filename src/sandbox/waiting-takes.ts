import { type CellKind, isSameKind } from './cell-kind.js';
import type { Cell } from './cell.js';
import type { ColdStarts } from './cold-starts.js';

interface WaitingTake {
  readonly userId: string;
  readonly kind: CellKind;
  readonly hand: (cell: Cell) => void;
}

/** Takes that wait until a new cell may be started for them. A cell that becomes idle meanwhile is handed to one. */
export class WaitingTakes {
  private readonly takes = new Set<WaitingTake>();

  constructor(private readonly starts: ColdStarts) {}

  get count(): number {
    return this.takes.size;
  }

  /** @param take called when a new cell may be started, unless a cell was handed over before */
  wait(userId: string, kind: CellKind, take: () => Promise<Cell>): Promise<Cell> {
    const handed = Promise.withResolvers<Cell>();
    const waiting = { userId, kind, hand: handed.resolve };
    this.takes.add(waiting);
    const started = this.starts.run(() => (this.takes.delete(waiting) ? take() : handed.promise));
    return Promise.race([handed.promise, started]);
  }

  /** @returns whether a take of the cell's user waited for such a cell, and has it now */
  handOver(cell: Cell): boolean {
    for (const waiting of this.takes) {
      if (waiting.userId !== cell.userId || !isSameKind(waiting.kind, cell.kind)) continue;
      this.takes.delete(waiting);
      waiting.hand(cell);
      return true;
    }
    return false;
  }
}
