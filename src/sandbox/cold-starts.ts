import { availableParallelism } from 'node:os';

import { Semaphore } from '../platform/async/semaphore.js';
import { resolvesWithin } from '../platform/async/timeout.js';

/** A start that takes longer (the engine hangs) frees its slot, so that the next one can begin. */
export const START_SLOT_TIMEOUT_MS = 2_000;

/**
 * Limits concurrent cell starts to the number of CPUs of this machine, in FIFO order. Concurrent starts share the
 * engine's CPUs. Eight starts at once on two CPUs: the first job ended after 1.4 s, the last after 1.7 s. The same
 * eight, two at a time: after 0.3 s and 1.0 s (ADR 35).
 */
export class ColdStarts {
  private readonly slots: Semaphore;

  constructor(max = availableParallelism()) {
    this.slots = new Semaphore(max);
  }

  /** Whether a start is running or queued. */
  get inProgress(): boolean {
    return this.slots.pending > 0;
  }

  /** @param start is called once a slot is free, immediately if one is */
  async run<T>(start: () => Promise<T>): Promise<T> {
    let starting: Promise<T>;
    await this.slots.run(() => {
      starting = start();
      return resolvesWithin(starting, START_SLOT_TIMEOUT_MS);
    });
    return await starting!;
  }
}
