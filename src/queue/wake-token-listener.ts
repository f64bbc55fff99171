import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { Redis } from 'ioredis';

import { delay } from '../platform/async/delay.js';
import { waitForCall } from '../platform/async/wait-for-call.js';
import { closeRedis, createBlockingRedis, redisReady } from '../platform/redis/create-redis.js';
import { isOutage } from '../platform/redis/outage.js';
import type { Log } from '../platform/telemetry/log.js';

/**
 * Waiting calls check again after this time even without a wake-up: a process may crash while it holds the wake token.
 * An idle queue costs one script call per process every two seconds.
 */
export const RECHECK_INTERVAL_MS = 2_000;

/** How long to wait for the connection; then the listener checks again whether any call still waits. */
const READY_TIMEOUT_MS = 10_000;

/** Pause after an error, so that the listener does not spin while Redis refuses commands. */
const ERROR_PAUSE_MS = 250;

/** The maximum of setTimeout: 31 bits. */
const ALARM_MS_MAX = 2 ** 31 - 1;

export interface WakeTokenListenerOptions {
  readonly redis: Redis;
  /** The list that holds the wake token. */
  readonly key: string;
  /** Puts the wake token back when no call of this process needs it. */
  readonly passOn: () => Promise<unknown>;
  readonly log: Log;
}

/**
 * Lets any number of calls of this process wait on one blocking connection.
 *
 * BLPOP on a list of at most one wake token, not pub/sub: a publish wakes every idle process for every job (50
 * processes and 1,000 jobs per second: 50,000 script calls per second), the wake token wakes only the one that has
 * waited longest.
 */
export class WakeTokenListener {
  readonly #options: WakeTokenListenerOptions;
  readonly #waiters = new Set<Waiter>();
  #blocking: Redis | undefined;
  #listening: Promise<void> | undefined;
  #alarm: NodeJS.Timeout | undefined;
  readonly #closing = new AbortController();

  constructor(options: WakeTokenListenerOptions) {
    this.#options = options;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Check for work before: the wake token of a job that is enqueued in between stays in Redis until a process takes it,
   * and is passed on if no call of that process waits. Call `leave` at the end.
   */
  enter(): Waiter {
    const waiter = new Waiter((unused) => this.#leave(waiter, unused));
    this.#waiters.add(waiter);
    if (this.closed) waiter.cancel();
    // Outside the caller's span: the listener outlives it.
    else this.#listening ??= context.with(ROOT_CONTEXT, () => this.#listen());
    return waiter;
  }

  /** Wakes one waiter after `ms`. The latest call replaces earlier ones, since its information is newest. */
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
      while (this.#waiters.size > 0 && !this.closed) await this.#receive(this.#blocking);
    } finally {
      this.#listening = undefined;
    }
  }

  async #receive(blocking: Redis): Promise<void> {
    if (!(await redisReady(blocking, READY_TIMEOUT_MS, this.#closing.signal))) return;
    const token = await blocking.blpop(this.#options.key, RECHECK_INTERVAL_MS / 1_000).catch((error: unknown) => {
      if (!this.closed && !isOutage(error)) this.#options.log.error({ err: error }, 'waiting for a wake-up failed');
      return undefined;
    });
    // Also without a wake token: the recheck is due, or the connection was lost and perhaps a wake token with it.
    const wokeOne = this.#wakeOne();
    if (token && !wokeOne) await this.#passOn();
    if (token === undefined) await delay(ERROR_PAUSE_MS, { signal: this.#closing.signal });
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
    // No waiter is left for the alarm: let another process set it.
    if (alarmed || (unusedWakeUp && !this.#wakeOne())) void this.#passOn();
  }

  #clearAlarm(): boolean {
    const wasSet = this.#alarm !== undefined;
    clearTimeout(this.#alarm);
    this.#alarm = undefined;
    return wasSet;
  }

  /** May fail: the waiters of other processes then check again within the recheck interval. */
  async #passOn(): Promise<void> {
    await this.#options.passOn().catch((error: unknown) => {
      this.#options.log.debug({ err: error }, 'wake token not passed on');
    });
  }
}

/** One waiting call. A wake-up that arrives while it checks for work is kept for its next wait. */
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

  /** @returns true if the caller should check for work; false if the time is over, or the signal aborted */
  async wait(timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
    if (!this.#woken && !this.#cancelled && timeoutMs > 0) await this.#pause(timeoutMs, signal);
    if (!this.#woken || this.#cancelled || signal?.aborted) return false;
    this.#woken = false;
    return true;
  }

  leave(): void {
    this.#onLeave(this.#woken);
  }

  #pause(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const subscribe = (resolve: () => void) => {
      this.#resolve = resolve;
      return () => (this.#resolve = undefined);
    };
    return waitForCall(subscribe, { timeoutMs, signal });
  }
}
