/** Work of which only so much is done at a time; the rest waits, first come, first served. */
export class AtMost {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(private readonly max: number) {}

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < this.max) this.running += 1;
    else await new Promise<void>((turn) => this.waiting.push(turn));
    try {
      return await work();
    } finally {
      // Its place goes to the next one, and is free where there is none.
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }
}
