import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { Unavailable } from '../../kernel/errors.js';
import type { Log } from '../telemetry/log.js';
import { delay } from './delay.js';
import { Wakeup } from './wakeup.js';

/** Returns what was found for a caller, or false if it is not there yet. */
type Reached<Wanted, Found> = (wanted: Wanted) => Found | false;

export interface SharedPollerOptions<Wanted, Found> {
  /** One poll for all callers. @throws Unavailable during an outage */
  readonly poll: (wanted: readonly Wanted[]) => Promise<Reached<Wanted, Found>>;
  /** A notification is a hint and may be lost: a change is seen after this time without one. */
  readonly pollIntervalMs: number;
  /** Between two polls, however many notifications come. */
  readonly minIntervalMs: number;
  /**
   * False if a notification usually comes before a poll would find anything: then only callers that cannot wait for
   * the next interval are polled for on arrival.
   */
  readonly pollsOnArrival?: boolean;
  readonly log: Log;
}

interface WaitOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Default: that of the poller. */
  readonly pollsOnArrival?: boolean;
}

interface Waiter<Wanted, Found> {
  readonly wanted: Wanted;
  readonly leave: (found: Found | false) => void;
}

/**
 * Polls for any number of callers: one poll for all of them, and one at a time. It polls when a caller arrives (unless
 * `pollsOnArrival` is false), on a notification, and at intervals, but never while nobody waits. The callers limit how
 * many may wait: each costs an entry here, and a timer only for its own timeout.
 */
export class SharedPoller<Wanted, Found = true> {
  private readonly waiters = new Set<Waiter<Wanted, Found>>();
  private readonly wakeup = new Wakeup();
  private polling = false;

  constructor(private readonly options: SharedPollerOptions<Wanted, Found>) {}

  /** Never rejects: it waits until an outage ends. @returns false on timeout, abort or close */
  wait(wanted: Wanted, options: WaitOptions): Promise<Found | false> {
    const { timeoutMs, signal, pollsOnArrival = this.options.pollsOnArrival ?? true } = options;
    if (signal?.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const leave = (found: Found | false): void => {
        clearTimeout(late);
        signal?.removeEventListener('abort', giveUp);
        this.waiters.delete(waiter);
        if (this.waiters.size === 0) this.wakeup.wake();
        resolve(found);
      };
      const giveUp = (): void => leave(false);
      const waiter: Waiter<Wanted, Found> = { wanted, leave };
      const late = timeoutMs === undefined ? undefined : setTimeout(giveUp, timeoutMs);
      signal?.addEventListener('abort', giveUp);
      this.waiters.add(waiter);
      const { pollIntervalMs } = this.options;
      const { seen } = this.wakeup;
      if (pollsOnArrival || (timeoutMs !== undefined && timeoutMs <= pollIntervalMs)) this.wakeup.wake();
      // Outside the span of the caller: the poller outlives it.
      if (!this.polling) void context.with(ROOT_CONTEXT, () => this.pollUntilIdle(seen));
    });
  }

  /** Something may have changed. @param concerns for which callers; polls only if one of them waits */
  notify(concerns: (wanted: Wanted) => boolean = () => true): void {
    if (this.isAnyWanted(concerns)) this.wakeup.wake();
  }

  /** Whether a caller waits for something like this. */
  isAnyWanted(like: (wanted: Wanted) => boolean): boolean {
    for (const { wanted } of this.waiters) if (like(wanted)) return true;
    return false;
  }

  /** For a notification that says what a poll would have found. */
  resolveReached(reached: Reached<Wanted, Found>): void {
    for (const { wanted, leave } of this.waiters) {
      const found = reached(wanted);
      if (found !== false) leave(found);
    }
  }

  /** Ends all waits without a result. */
  close(): void {
    for (const { leave } of this.waiters) leave(false);
  }

  /** @param seenAtFirst the first poll waits for a wake-up after this one, or for the interval */
  private async pollUntilIdle(seenAtFirst: number): Promise<void> {
    const { pollIntervalMs, minIntervalMs } = this.options;
    this.polling = true;
    if (this.wakeup.seen === seenAtFirst) await this.wakeup.wait(seenAtFirst, pollIntervalMs);
    while (this.waiters.size > 0) {
      // Before the poll: a notification during the poll causes another one.
      const { seen } = this.wakeup;
      await this.pollOnce();
      if (minIntervalMs > 0) await delay(minIntervalMs, { ref: false });
      if (this.waiters.size > 0) await this.wakeup.wait(seen, pollIntervalMs - minIntervalMs);
    }
    this.polling = false;
  }

  private async pollOnce(): Promise<void> {
    try {
      this.resolveReached(await this.options.poll([...this.waiters].map(({ wanted }) => wanted)));
    } catch (error) {
      // Treated as no change: the next poll may succeed.
      if (!(error instanceof Unavailable)) this.options.log.error({ err: error }, 'poll failed');
    }
  }
}
