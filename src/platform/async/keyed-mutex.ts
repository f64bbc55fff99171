import { resolvesWithin } from './timeout.js';

/** Nobody waits longer: in an outage each earlier holder may take seconds to fail. */
export const ACQUIRE_WAIT_MS_MAX = 1_000;

/** A mutex per name: one holder at a time, first come, first served. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<void>>();

  /** Whether somebody holds the mutex or waits for it. */
  isLocked(name: string): boolean {
    return this.last.has(name);
  }

  /** Resolves when earlier callers have released it or taken too long. @returns the function that releases it */
  async acquire(name: string): Promise<() => void> {
    const before = this.last.get(name);
    let finish!: () => void;
    const mine = new Promise<void>((resolve) => (finish = resolve));
    this.last.set(name, mine);
    if (before) await resolvesWithin(before, ACQUIRE_WAIT_MS_MAX);
    return () => {
      if (this.last.get(name) === mine) this.last.delete(name);
      finish();
    };
  }
}
