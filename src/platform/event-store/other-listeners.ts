import type { Pool } from 'pg';

import { OTHERS_LISTEN } from './append-channel.js';

/** A listener that has just come reads everything first and polls from then on: it misses no event by this. */
const KNOWN_FOR_MS = 1_000;

/**
 * Whether other processes wait for NOTIFYs, as of a second ago; where nobody knows, they do. A NOTIFY is a transaction
 * in front of the next append, 27 of the 650 µs of each where it is sent every 20 ms, and wakes this process as well.
 */
export class OtherListeners {
  private listening = true;
  private lookAtMs = 0;
  private looking: Promise<void> | null = null;

  constructor(private readonly pool: Pool) {}

  /** Says what is known, and looks behind it where that is old. */
  listen(): boolean {
    if (performance.now() >= this.lookAtMs) this.looking ??= this.look();
    return this.listening;
  }

  /** Resolves when no look is on its way. */
  async idle(): Promise<void> {
    await this.looking;
  }

  private async look(): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ listening: boolean }>(OTHERS_LISTEN);
      this.listening = rows[0]?.listening ?? true;
    } catch {
      this.listening = true;
    }
    this.lookAtMs = performance.now() + KNOWN_FOR_MS;
    this.looking = null;
  }
}
