import { availableParallelism } from 'node:os';

/** A start that takes longer, of an engine that hangs, holds up nobody any more. */
export const START_PATIENCE_MS = 2_000;

/**
 * As many cells start at a time as this machine has CPUs, first come, first served. Together they share the engine's CPUs:
 * of eight that started at once on two CPUs the first had run its job after 1.4 s and the last after 1.7; of the same eight
 * two at a time, after 0.3 s and 1.0 (ADR 35).
 */
export class ColdStarts {
  private running = 0;
  private readonly line: (() => void)[] = [];

  constructor(private readonly max = availableParallelism()) {}

  /** Whether any has its turn, or waits for it. */
  get underWay(): boolean {
    return this.running + this.line.length > 0;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.line.length;
  }

  /** @param start is called in its turn, at once where nobody waits */
  async run<T>(start: () => Promise<T>): Promise<T> {
    if (this.running < this.max) this.running += 1;
    else await new Promise<void>((resolve) => this.line.push(resolve));
    const timer = setTimeout(() => finish(), START_PATIENCE_MS).unref();
    const finish = once(() => {
      clearTimeout(timer);
      this.next();
    });
    try {
      return await start();
    } finally {
      finish();
    }
  }

  private next(): void {
    const first = this.line.shift();
    if (first) first();
    else this.running -= 1;
  }
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
