/**
 * A bell for a loop: `wake()` counts, `wait()` returns once the count is past what the loop had seen before it looked.
 * So a ring between looking and waiting is never lost, and many rings cost one round.
 */
export class Wakeup {
  private count = 0;
  private readonly waiting = new Set<() => void>();

  /** Take it before looking for work, and pass it to `wait`. */
  get seen(): number {
    return this.count;
  }

  wake(): void {
    this.count += 1;
    for (const resume of [...this.waiting]) resume();
  }

  /** @returns true where it rang, false where the time was up or the signal aborted */
  async wait(seen: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.count !== seen) return true;
    if (signal?.aborted) return false;
    await new Promise<void>((resolve) => {
      const resume = (): void => {
        clearTimeout(timer);
        this.waiting.delete(resume);
        signal?.removeEventListener('abort', resume);
        resolve();
      };
      const timer = setTimeout(resume, timeoutMs);
      this.waiting.add(resume);
      signal?.addEventListener('abort', resume);
    });
    return this.count !== seen;
  }
}
