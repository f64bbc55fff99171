import type { Pool } from 'pg';

import { OTHERS_LISTEN } from './append-channel.js';

/** An answer that is older is none. A listener that has just come reads everything first, and polls from then on. */
const KNOWN_FOR_MS = 1_000;

/**
 * Whether other processes wait for NOTIFYs; where nobody knows, they do. A NOTIFY is a transaction in front of the next
 * append, 27 of the 650 µs of each where it is sent every 20 ms, and wakes this process as well.
 */
export class OtherListeners {
  private listening = true;
  private knownUntilMs = 0;
  private looking: Promise<void> | null = null;

  constructor(private readonly pool: Pool) {}

  /** Says what is known; where that is nothing, looks behind it, so that the next one who asks may know. */
  areListening(): boolean {
    if (performance.now() < this.knownUntilMs) return this.listening;
    this.looking ??= this.poll();
    return true;
  }

  /** Resolves when no look is on its way. Exposed for tests. */
  async idle(): Promise<void> {
    await this.looking;
  }

  private async poll(): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ listening: boolean }>(OTHERS_LISTEN);
      this.listening = rows[0]?.listening ?? true;
    } catch {
      this.listening = true;
    }
    this.knownUntilMs = performance.now() + KNOWN_FOR_MS;
    this.looking = null;
  }
}
