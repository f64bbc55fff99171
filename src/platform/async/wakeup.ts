import { waitForCall } from './wait-for-call.js';

/**
 * Wakes up a loop. `wake()` counts; `wait()` returns once the count is past the one that the loop saw before it
 * checked for work. So a wake-up between check and wait is never lost, and many of them cost one round.
 */
export class Wakeup {
  private count = 0;
  private readonly waiting = new Set<() => void>();

  /** Read it before checking for work, and pass it to `wait`. */
  get seen(): number {
    return this.count;
  }

  wake(): void {
    this.count += 1;
    for (const resume of [...this.waiting]) resume();
  }

  /** @returns true if woken, false on timeout or abort */
  async wait(seen: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.count !== seen) return true;
    const subscribe = (resume: () => void) => {
      this.waiting.add(resume);
      return () => this.waiting.delete(resume);
    };
    await waitForCall(subscribe, { timeoutMs, signal });
    return this.count !== seen;
  }
}
