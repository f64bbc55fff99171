import type { Pool } from 'pg';

import type { PositionAnnouncements } from './position-announcements.js';

export interface PositionWaiterOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly announcements: PositionAnnouncements;
  readonly subscription: string;
  readonly pollIntervalMs?: number;
}

export interface WaitOutcome {
  readonly reached: boolean;
  /** The newest position known to be projected. */
  readonly position: bigint;
}

const POLL_INTERVAL_MS = 50;
/** No caller waits longer, whatever it asks for. */
export const WAIT_MS_MAX = 60_000;

interface Waiter {
  readonly position: bigint;
  readonly resolve: (reached: boolean) => void;
}

/**
 * Read your own writes: waits until the views hold a position. It listens to the announcements first, then reads the
 * checkpoint, then waits; so the announcement that came in between is not missed. One poll serves all who wait.
 */
export class PositionWaiter {
  private newest = 0n;
  private readonly waiters = new Set<Waiter>();
  private timer: NodeJS.Timeout | null = null;
  private reading = false;
  private stopListening: (() => void) | null = null;

  constructor(private readonly options: PositionWaiterOptions) {}

  /** Listens from now on. */
  start(): void {
    if (this.stopListening) return;
    const { announcements } = this.options;
    const stop = [announcements.onPosition((position) => this.reached(position)), announcements.start()];
    this.stopListening = () => stop.forEach((each) => each());
  }

  /** Whoever still waits gets `reached: false`. */
  close(): void {
    this.stopListening?.();
    this.stopListening = null;
    for (const waiter of [...this.waiters]) waiter.resolve(false);
  }

  /**
   * Never rejects: where Postgres or NATS is away, the answer is `reached: false` in time.
   * @param timeoutMs at most {@link WAIT_MS_MAX}
   */
  async waitFor(position: bigint, timeoutMs: number): Promise<WaitOutcome> {
    if (this.newest >= position) return { reached: true, position: this.newest };
    const reached = await new Promise<boolean>((resolve) => {
      const waiter: Waiter = {
        position,
        resolve: (outcome) => {
          clearTimeout(late);
          this.waiters.delete(waiter);
          if (this.waiters.size === 0) this.stopPolling();
          resolve(outcome);
        },
      };
      const late = setTimeout(() => waiter.resolve(false), Math.min(timeoutMs, WAIT_MS_MAX));
      this.waiters.add(waiter);
      void this.read();
      this.timer ??= setInterval(() => void this.read(), this.options.pollIntervalMs ?? POLL_INTERVAL_MS);
    });
    return { reached, position: this.newest };
  }

  private reached(position: bigint): void {
    if (position > this.newest) this.newest = position;
    for (const waiter of [...this.waiters]) if (waiter.position <= this.newest) waiter.resolve(true);
  }

  /** One at a time: a slow Postgres is not asked twice. */
  private async read(): Promise<void> {
    if (this.reading) return;
    this.reading = true;
    try {
      const { rows } = await this.options.pool.query<{ position: bigint }>(
        'select position from read.checkpoints where subscription = $1',
        [this.options.subscription],
      );
      this.reached(rows[0]?.position ?? 0n);
    } catch {
      // An outage: the waiters' own timeouts answer.
    } finally {
      this.reading = false;
    }
  }

  private stopPolling(): void {
    if (this.timer) clearInterval(this.timer);
    this.timer = null;
  }
}
