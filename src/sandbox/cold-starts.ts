import { availableParallelism } from 'node:os';

/** A start that takes longer (the engine hangs) frees its slot, so that the next one can begin. */
export const START_SLOT_TIMEOUT_MS = 2_000;

/**
 * Limits concurrent cell starts to the number of CPUs of this machine, in FIFO order. Concurrent starts share the
 * engine's CPUs. Eight starts at once on two CPUs: the first job ended after 1.4 s, the last after 1.7 s. The same
 * eight, two at a time: after 0.3 s and 1.0 s (ADR 35).
 */
export class ColdStarts {
  private running = 0;
  private readonly queue: (() => void)[] = [];

  constructor(private readonly max = availableParallelism()) {}

  /** Whether a start is running or queued. */
  get inProgress(): boolean {
    return this.running + this.queue.length > 0;
  }

  /** Number of queued starts. */
  get waiting(): number {
    return this.queue.length;
  }

  /** @param start is called once a slot is free, immediately if one is */
  async run<T>(start: () => Promise<T>): Promise<T> {
    if (this.running < this.max) this.running += 1;
    else await new Promise<void>((resolve) => this.queue.push(resolve));
    const timer = setTimeout(() => finish(), START_SLOT_TIMEOUT_MS).unref();
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
    const first = this.queue.shift();
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
