import { setTimeout as pause } from 'node:timers/promises';

import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Redis } from 'ioredis';

import { closeRedis, createBlockingRedis, redisReady } from '../platform/redis/create-redis.js';
import { isOutage } from '../platform/redis/outage.js';
import type { Log } from '../platform/telemetry/log.js';

/**
 * Those who wait look again after as long even if nothing was heard: a process may die with the baton in its hands.
 * One script call in two seconds and process is what an idle queue costs.
 */
export const RECHECK_INTERVAL_MS = 2_000;

/** Until the connection stands; then the listener asks again whether anybody still waits. */
const READY_TIMEOUT_MS = 10_000;

/** After an error, so that a Redis that refuses at once does not make the listener spin. */
const ERROR_PAUSE_MS = 250;

/** setTimeout takes 31 bits. */
const ALARM_MS_MAX = 2 ** 31 - 1;

export interface WakeUpOptions {
  readonly redis: Redis;
  /** The list the baton comes through. */
  readonly key: string;
  /** Gives the baton back when nobody here needs it. */
  readonly passOn: () => Promise<unknown>;
  readonly log: Log;
}

/**
 * Lets any number of calls of this process wait on one blocking connection.
 *
 * BLPOP on a list of at most one baton, not pub/sub: a publish wakes every idle process for every job (50 processes,
 * 1,000 jobs a second: 50,000 script calls a second), the baton wakes the one that has waited longest.
 */
export class WakeUp {
  readonly #options: WakeUpOptions;
  readonly #waiters = new Set<Waiter>();
  #blocking: Redis | undefined;
  #listening: Promise<void> | undefined;
  #alarm: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(options: WakeUpOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** From now on no wake-up is missed. Look for work after this, not before; and `leave` in the end. */
  enter(): Waiter {
    const waiter = new Waiter((unused) => this.#leave(waiter, unused));
    this.#waiters.add(waiter);
    if (this.closed) waiter.cancel();
    // Outside the caller's span: the listener outlives it.
    else this.#listening ??= context.with(ROOT_CONTEXT, () => this.#listen());
    return waiter;
  }

  /** Wakes one who waits after `ms`; the latest call counts, since whoever looked last knows best. */
  alarmIn(ms: number): void {
    this.#clearAlarm();
    if (this.#waiters.size === 0) return;
    const ring = (): void => {
      this.#alarm = undefined;
      this.#wakeOne();
    };
    this.#alarm = setTimeout(ring, Math.min(ms, ALARM_MS_MAX));
  }

  /** Ends every wait as if its time were over. */
  async close(): Promise<void> {
    this.#closing.abort();
    const alarmed = this.#clearAlarm();
    for (const waiter of this.#waiters) waiter.cancel();
    if (alarmed) await this.#passOn();
    if (this.#blocking) await closeRedis(this.#blocking);
    await this.#listening;
  }

  async #listen(): Promise<void> {
    const { redis, log } = this.#options;
    try {
      this.#blocking ??= createBlockingRedis(redis, { blockMs: RECHECK_INTERVAL_MS, log });
      while (this.#waiters.size > 0 && !this.closed) await this.#hear(this.#blocking);
    } finally {
      this.#listening = undefined;
    }
  }

  async #hear(blocking: Redis): Promise<void> {
    if (!(await redisReady(blocking, READY_TIMEOUT_MS, this.#closing.signal))) return;
    const baton = await blocking.blpop(this.#options.key, RECHECK_INTERVAL_MS / 1_000).catch((error: unknown) => {
      if (!this.closed && !isOutage(error)) this.#options.log.error({ err: error }, 'waiting for a wake-up failed');
      return undefined;
    });
    // Without a baton as well: it is time to look again, or the connection was lost and perhaps a baton with it.
    const somebodyLooks = this.#wakeOne();
    if (baton && !somebodyLooks) await this.#passOn();
    if (baton === undefined && !this.closed) await pause(ERROR_PAUSE_MS);
  }

  #wakeOne(): boolean {
    const waiters = [...this.#waiters];
    const waiter = waiters.find((one) => one.waiting) ?? waiters[0];
    waiter?.wake();
    return waiter !== undefined;
  }

  #leave(waiter: Waiter, unusedWakeUp: boolean): void {
    this.#waiters.delete(waiter);
    const alarmed = this.#waiters.size === 0 && this.#clearAlarm();
    // Nobody is left here to hear the alarm: let another process set it.
    if (alarmed || (unusedWakeUp && !this.#wakeOne())) void this.#passOn();
  }

  #clearAlarm(): boolean {
    const wasSet = this.#alarm !== undefined;
    clearTimeout(this.#alarm);
    this.#alarm = undefined;
    return wasSet;
  }

  /** May fail: then those who wait elsewhere look again by themselves within the recheck interval. */
  async #passOn(): Promise<void> {
    await this.#options.passOn().catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'baton not passed on');
    });
  }
}

/** One call that waits. A wake-up that comes while it looks for work is kept for its next wait. */
export class Waiter {
  readonly #onLeave: (unusedWakeUp: boolean) => void;
  #woken = false;
  #cancelled = false;
  #resolve: (() => void) | undefined;

  constructor(onLeave: (unusedWakeUp: boolean) => void) {
    this.#onLeave = onLeave;
  }

  get waiting(): boolean {
    return this.#resolve !== undefined;
  }

  wake(): void {
    this.#woken = true;
    this.#resolve?.();
  }

  cancel(): void {
    this.#cancelled = true;
    this.#resolve?.();
  }

  /** @returns true when it is worth looking for work; false when the time is over, or the signal aborted */
  async wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (!this.#woken && !this.#cancelled && !signal?.aborted && timeoutMs > 0) await this.#pause(timeoutMs, signal);
    if (!this.#woken || this.#cancelled || signal?.aborted) return false;
    this.#woken = false;
    return true;
  }

  leave(): void {
    this.#onLeave(this.#woken);
  }

  #pause(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, timeoutMs);
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', done);
        this.#resolve = undefined;
        resolve();
      };
      function done(): void {
        settle();
      }
      signal?.addEventListener('abort', done, { once: true });
      this.#resolve = settle;
    });
  }
}
