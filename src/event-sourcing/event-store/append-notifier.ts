import { afterThisTurn, delay } from '../../platform/async/delay.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { OtherListeners } from './other-listeners.js';

/**
 * Between two NOTIFYs. The first is sent in the next turn of the event loop, listeners in this process never wait, and
 * all readers also poll.
 */
const NOTIFY_INTERVAL_MS = 20;

export type AppendListener = (position: bigint) => void;

/** Wakes up readers: those of this process directly, those of others, if any, by NOTIFY, at most once in 20 ms. */
export class AppendNotifier {
  private readonly listeners = new Set<AppendListener>();
  private readonly closing = new AbortController();
  private pending: bigint | null = null;
  private sending: Promise<void> | null = null;
  private nextAtMs = 0;

  /**
   * @param notify sends the payload to the listeners of other processes
   * @param others knows whether there are any
   */
  constructor(
    private readonly notify: (payload: string) => Promise<unknown>,
    private readonly others: Pick<OtherListeners, 'areListening'>,
    private readonly log: Log,
  ) {}

  /** @returns a function that stops listening */
  onAppended(listener: AppendListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  announce(position: bigint): void {
    if (this.others.areListening()) {
      if (this.pending === null || position > this.pending) this.pending = position;
      this.sending ??= this.send();
    }
    for (const listener of this.listeners) {
      try {
        listener(position);
      } catch (error) {
        this.log.error({ err: error }, 'append listener failed');
      }
    }
  }

  /** Sends what is pending, then stops. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.sending;
    this.listeners.clear();
  }

  private async send(): Promise<void> {
    while (this.pending !== null) {
      // Listeners of this process first: they need not wait for a socket write.
      await afterThisTurn();
      const waitMs = this.nextAtMs - performance.now();
      if (waitMs > 0) await delay(waitMs, { signal: this.closing.signal });
      const position = this.pending;
      this.pending = null;
      try {
        await this.notify(position.toString());
      } catch (error) {
        this.log.warn({ err: error }, 'readers were not notified; they poll');
      }
      this.nextAtMs = performance.now() + NOTIFY_INTERVAL_MS;
    }
    this.sending = null;
  }
}
