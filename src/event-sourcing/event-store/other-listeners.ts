import type { Pool } from 'pg';

import { OTHERS_LISTEN } from './append-channel.js';

/** Older results are not used. A new listener reads everything first, and polls from then on. */
const KNOWN_FOR_MS = 1_000;

/**
 * Whether other processes wait for NOTIFYs; if that is unknown, the result is true. A NOTIFY is a transaction ahead of
 * the next append: sent every 20 ms, it takes 27 of the 650 µs of each append. It also wakes this process. The
 * projector's announcements over NATS depend on it as well.
 */
export class OtherListeners {
  private listening = true;
  private knownUntilMs = 0;
  private polling: Promise<void> | null = null;

  constructor(private readonly pool: Pool) {}

  /** Returns the last known result. If there is none, returns true and polls in the background for later callers. */
  areListening(): boolean {
    if (performance.now() < this.knownUntilMs) return this.listening;
    this.polling ??= this.poll();
    return true;
  }

  /** Resolves when no poll is in progress. Exposed for tests. */
  async idle(): Promise<void> {
    await this.polling;
  }

  private async poll(): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ listening: boolean }>(OTHERS_LISTEN);
      this.listening = rows[0]?.listening ?? true;
    } catch {
      this.listening = true;
    }
    this.knownUntilMs = performance.now() + KNOWN_FOR_MS;
    this.polling = null;
  }
}
