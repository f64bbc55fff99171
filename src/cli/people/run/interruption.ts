import { constants } from 'node:os';

import { EXIT_SIGNAL_BASE } from '../../exit-codes.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** After the first signal the end of the execution is waited for, so that its last output is shown. */
const CANCELLATION_MS_MAX = 15_000;

type Interrupting = (typeof SIGNALS)[number] | 'SIGPIPE';

/** The first signal asks for the end of the execution; the second one ends this process at once. */
export class Interruption {
  private first: Interrupting | null = null;
  private onFirst: () => void = () => {};

  constructor() {
    for (const signal of SIGNALS) process.on(signal, () => this.interrupt(signal));
    process.stdout.removeAllListeners('error');
    process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => code === 'EPIPE' && this.interrupt('SIGPIPE'));
  }

  /** 128 + the number of the signal; null if there was none. */
  get exitCode(): number | null {
    return this.first === null ? null : EXIT_SIGNAL_BASE + constants.signals[this.first];
  }

  /** @param cancel called once, at once if a signal has come already */
  cancelBy(cancel: () => void): void {
    this.onFirst = cancel;
    if (this.first !== null) cancel();
  }

  private interrupt(signal: Interrupting): void {
    // A broken pipe is reported for each write.
    if (this.first !== null && signal === 'SIGPIPE') return;
    if (this.first !== null) process.exit(this.exitCode ?? EXIT_SIGNAL_BASE);
    this.first = signal;
    setTimeout(() => process.exit(this.exitCode ?? EXIT_SIGNAL_BASE), CANCELLATION_MS_MAX).unref();
    this.onFirst();
  }
}
