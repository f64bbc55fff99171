import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

import { delay } from '../../src/platform/async/delay.js';

/** A private server of the benchmark, to be killed and started again. */
export class Child {
  private process: ChildProcess | null = null;

  constructor(
    private readonly command: string,
    private readonly args: readonly string[],
    private readonly ready: () => Promise<unknown>,
    private readonly readyTimeoutMs = 60_000,
  ) {}

  get pid(): number {
    return this.process!.pid!;
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    this.process = spawn(this.command, this.args, { stdio: 'ignore' });
    const deadline = performance.now() + this.readyTimeoutMs;
    for (;;) {
      try {
        await this.ready();
        return;
      } catch (error) {
        if (this.process.exitCode !== null)
          throw new Error(`${this.command} ended with ${this.process.exitCode}`, { cause: error });
        if (performance.now() > deadline) throw error;
        await delay(20);
      }
    }
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    const { process } = this;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const gone = once(process, 'exit');
    process.kill(signal);
    await gone;
  }
}
