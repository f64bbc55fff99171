import { setTimeout as delay } from 'node:timers/promises';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';

import { Unavailable } from '../../kernel/errors.js';
import type { Log } from '../telemetry/log.js';
import { Wakeup } from './wakeup.js';

/** What there is of what somebody waits for, false where it is not there yet. */
type Reached<Wanted, Found> = (wanted: Wanted) => Found | false;

export interface SharedPollerOptions<Wanted, Found> {
  /** One question for all who wait. @throws Unavailable during an outage */
  readonly poll: (wanted: readonly Wanted[]) => Promise<Reached<Wanted, Found>>;
  /** News is a hint that may be lost: a change is seen after as long without it. */
  readonly pollIntervalMs: number;
  /** From one look to the next, however much news there is; what comes after a quiet time is looked at at once. */
  readonly minIntervalMs: number;
  readonly log: Log;
}

interface Waiter<Wanted, Found> {
  readonly wanted: Wanted;
  readonly leave: (found: Found | false) => void;
}

/**
 * Looks out for any number of callers: one question for all of them, and one at a time. It is asked when somebody comes,
 * when there is news, and from time to time; not at all while nobody waits. How many may wait is said where they come
 * in: one who waits costs an entry here, and a timer only for a time limit of their own.
 */
export class SharedPoller<Wanted, Found = true> {
  private readonly waiters = new Set<Waiter<Wanted, Found>>();
  private readonly wakeup = new Wakeup();
  private polling = false;

  constructor(private readonly options: SharedPollerOptions<Wanted, Found>) {}

  /** Never rejects: an outage is waited out. @returns false where the time was up, the signal aborted, or it closed */
  wait(wanted: Wanted, { timeoutMs, signal }: { timeoutMs?: number; signal?: AbortSignal }): Promise<Found | false> {
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
      this.notify();
      // Outside the caller's span: the lookout outlives it.
      if (!this.polling) void context.with(ROOT_CONTEXT, () => this.pollUntilIdle());
    });
  }

  /** Something may have changed. */
  notify(): void {
    this.wakeup.wake();
  }

  /** For news that says what a look would have found. */
  resolveReached(reached: Reached<Wanted, Found>): void {
    for (const { wanted, leave } of this.waiters) {
      const found = reached(wanted);
      if (found !== false) leave(found);
    }
  }

  /** Whoever still waits has not reached what they wait for. */
  close(): void {
    for (const { leave } of this.waiters) leave(false);
  }

  private async pollUntilIdle(): Promise<void> {
    const { pollIntervalMs, minIntervalMs: restMs } = this.options;
    this.polling = true;
    while (this.waiters.size > 0) {
      // Before the question: news while it is answered asks for another one.
      const { seen } = this.wakeup;
      await this.look();
      if (restMs > 0) await delay(restMs, undefined, { ref: false });
      if (this.waiters.size > 0) await this.wakeup.wait(seen, pollIntervalMs - restMs);
    }
    this.polling = false;
  }

  private async look(): Promise<void> {
    try {
      this.resolveReached(await this.options.poll([...this.waiters].map(({ wanted }) => wanted)));
    } catch (error) {
      // Nothing is known to have changed: the next look may tell.
      if (!(error instanceof Unavailable)) this.options.log.error({ err: error }, 'look failed');
    }
  }
}
