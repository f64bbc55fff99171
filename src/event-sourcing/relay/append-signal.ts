import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { listenStatement } from '../event-store/append-channel.js';
import type { AppendListener } from '../event-store/append-notifier.js';
import { createClient, type PostgresOptions } from '../../platform/postgres/pool.js';
import type { Log } from '../../platform/telemetry/log.js';

const RECONNECT_DELAY_MS = 500;

export interface AppendSignalOptions {
  readonly postgres: PostgresOptions;
  readonly log: Log;
  /** Appends of this very process, of which nothing else tells it. @returns how to stop listening */
  readonly local: (listener: AppendListener) => () => void;
}

/**
 * Says that something was appended, by whatever process: LISTEN on a connection of its own, and the event store of this
 * process. A hint and no more: whoever listens must poll as well.
 */
export class AppendSignal {
  private readonly listeners = new Set<(position: bigint | null) => void>();
  private heard = true;

  constructor(private readonly options: AppendSignalOptions) {}

  /** The listener gets a position that is committed, or null where nobody knows. @returns how to stop listening */
  onAppend(listener: (position: bigint | null) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Listens until the signal aborts; reconnects for ever. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const stopLocal = this.options.local((position) => this.ring(position));
    try {
      while (!signal.aborted) {
        await this.listen(signal).catch((error: unknown) => this.complain(error));
        await sleep(RECONNECT_DELAY_MS, undefined, { signal }).catch(() => undefined);
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
      client.on('notification', ({ payload = '' }) => this.ring(/^\d{1,19}$/.test(payload) ? BigInt(payload) : null));
      await client.query(listenStatement());
      this.heard = true;
      // Whatever was appended while nobody listened.
      this.ring(null);
      if (!over.signal.aborted) await once(over.signal, 'abort');
    } finally {
      signal.removeEventListener('abort', end);
      await Promise.race([client.end().catch(() => undefined), sleep(RECONNECT_DELAY_MS, undefined, { ref: false })]);
    }
  }

  /** Once an outage: everybody polls meanwhile. */
  private complain(error: unknown): void {
    if (this.heard) this.options.log.warn({ err: error }, 'append notifications lost');
    this.heard = false;
  }

  private ring(position: bigint | null): void {
    for (const listener of this.listeners) listener(position);
  }
}
