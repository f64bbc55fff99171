import type { Pool } from 'pg';

import { SharedPoller } from '../../platform/async/shared-poller.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { PositionAnnouncements } from './position-announcements.js';

export interface PositionWaiterOptions {
  readonly pool: Pick<Pool, 'query'>;
  readonly announcements: PositionAnnouncements;
  readonly subscription: string;
  readonly pollIntervalMs?: number;
  readonly log: Log;
}

export interface WaitOutcome {
  readonly reached: boolean;
  /** The newest position known to be projected. */
  readonly position: bigint;
}

/** For lost announcements. An announcement that arrives needs no poll, so polling for every write is not worth it. */
const POLL_INTERVAL_MS = 50;
/** No caller waits longer, whatever it requests. */
export const WAIT_MS_MAX = 60_000;

/**
 * Read your own writes: waits until the views hold a position. It listens to all announcements from its start on, and
 * reads the checkpoint only for callers that none has served in time.
 */
export class PositionWaiter {
  private newest = 0n;
  private readonly waitListeners = new Set<() => void>();
  private readonly poller: SharedPoller<bigint>;
  private stopListening: (() => void) | null = null;

  constructor(private readonly options: PositionWaiterOptions) {
    const { pollIntervalMs = POLL_INTERVAL_MS, log } = options;
    this.poller = new SharedPoller({
      poll: () => this.projected(),
      pollIntervalMs,
      minIntervalMs: pollIntervalMs,
      pollsOnArrival: false,
      log,
    });
  }

  /** Starts listening. */
  start(): void {
    if (this.stopListening) return;
    const { announcements } = this.options;
    const onPosition = (position: bigint) => this.poller.resolveReached(this.within(position));
    const stop = [announcements.onPosition(onPosition), announcements.start()];
    this.stopListening = () => stop.forEach((each) => each());
  }

  /** Pending waits resolve with `reached: false`. */
  close(): void {
    this.stopListening?.();
    this.stopListening = null;
    this.poller.close();
  }

  /**
   * Never rejects: if Postgres or NATS is unavailable, it returns `reached: false` in time.
   * @param timeoutMs at most {@link WAIT_MS_MAX}
   */
  async waitFor(position: bigint, timeoutMs: number): Promise<WaitOutcome> {
    if (this.newest >= position) return { reached: true, position: this.newest };
    const reached = this.poller.wait(position, { timeoutMs: Math.min(timeoutMs, WAIT_MS_MAX) });
    for (const listener of this.waitListeners) listener();
    return { reached: await reached, position: this.newest };
  }

  /** Whether a caller of this process waits for this position or a later one. */
  isWanted(position: bigint): boolean {
    return this.poller.isAnyWanted((wanted) => wanted >= position);
  }

  /** Calls the listener whenever a caller begins to wait. */
  onWait(listener: () => void): void {
    this.waitListeners.add(listener);
  }

  private async projected() {
    const { pool, subscription } = this.options;
    const { rows } = await reportingOutages(() =>
      pool.query<{ position: bigint }>('select position from read.checkpoints where subscription = $1', [subscription]),
    );
    return this.within(rows[0]?.position ?? 0n);
  }

  /** Positions only grow: a late announcement changes nothing. */
  private within(position: bigint) {
    if (position > this.newest) this.newest = position;
    return (wanted: bigint) => wanted <= this.newest;
  }
}
