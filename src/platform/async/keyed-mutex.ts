/** Nobody waits longer for their turn: in an outage each of those in front may take seconds to fail. */
export const ACQUIRE_WAIT_MS_MAX = 1_000;

/** Lines to stand in, one a name: one at a time, first come, first served. */
export class KeyedMutex {
  private readonly last = new Map<string, Promise<void>>();

  /** Whether somebody has the turn, or waits for it. */
  isLocked(name: string): boolean {
    return this.last.has(name);
  }

  /** Resolves when whoever came before is done, or has taken too long. @returns to be called when done */
  async acquire(name: string): Promise<() => void> {
    const before = this.last.get(name);
    let finish!: () => void;
    const mine = new Promise<void>((resolve) => (finish = resolve));
    this.last.set(name, mine);
    if (before) await inTime(before);
    return () => {
      if (this.last.get(name) === mine) this.last.delete(name);
      finish();
    };
  }
}

async function inTime(turn: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, ACQUIRE_WAIT_MS_MAX)));
  await Promise.race([turn, late]);
  clearTimeout(timer);
}
