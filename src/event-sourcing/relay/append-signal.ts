import { once } from 'node:events';

import { delay } from '../../platform/async/delay.js';
import { closeClient } from '../../platform/postgres/close-client.js';
import { createClient, type PostgresOptions } from '../../platform/postgres/pool.js';
import type { Log } from '../../platform/telemetry/log.js';
import { listenStatement } from '../event-store/append-channel.js';
import type { AppendListener } from '../event-store/append-notifier.js';

const RECONNECT_DELAY_MS = 500;

export interface AppendSignalOptions {
  readonly postgres: PostgresOptions;
  readonly log: Log;
  /** Appends of this process, which no other source reports. @returns a function that stops listening */
  readonly local: (listener: AppendListener) => () => void;
}

/**
 * Signals appends of any process: LISTEN on its own connection, and the event store of this process. It is only a
 * hint: listeners must poll as well.
 */
export class AppendSignal {
  private readonly listeners = new Set<(position: bigint | null) => void>();
  private wasListening = true;

  constructor(private readonly options: AppendSignalOptions) {}

  /**
   * Calls the listener with a committed position, or null if the position is unknown.
   * @returns a function that stops listening
   */
  onAppend(listener: (position: bigint | null) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Listens until the signal aborts; reconnects without limit. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const stopLocal = this.options.local((position) => this.notify(position));
    try {
      while (!signal.aborted) {
        await this.listen(signal).catch((error: unknown) => this.warnOnce(error));
        await delay(RECONNECT_DELAY_MS, { signal });
      }
    } finally {
      stopLocal();
    }
  }

  private async listen(signal: AbortSignal): Promise<void> {
    const client = createClient(this.options.postgres);
    const over = new AbortController();
    const end = (): void => over.abort();
    client.on('error', end);
    client.on('end', end);
    signal.addEventListener('abort', end, { once: true });
    try {
      await client.connect();
      client.on('notification', ({ payload = '' }) => this.notify(/^\d{1,19}$/.test(payload) ? BigInt(payload) : null));
      await client.query(listenStatement());
      this.wasListening = true;
      // For appends that happened before the LISTEN.
      this.notify(null);
      if (!over.signal.aborted) await once(over.signal, 'abort');
    } finally {
      signal.removeEventListener('abort', end);
      await closeClient(client);
    }
  }

  /** Once per outage: listeners poll meanwhile. */
  private warnOnce(error: unknown): void {
    if (this.wasListening) this.options.log.warn({ err: error }, 'append notifications lost');
    this.wasListening = false;
  }

  private notify(position: bigint | null): void {
    for (const listener of this.listeners) listener(position);
  }
}
