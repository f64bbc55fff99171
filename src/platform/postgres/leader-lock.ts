import type { Client } from 'pg';

import { delay } from '../async/delay.js';
import { withTimeout } from '../async/timeout.js';
import type { Log } from '../telemetry/log.js';
import { advisoryKey } from './advisory-key.js';
import { closeClient } from './close-client.js';
import { createClient, type PostgresOptions } from './pool.js';

export interface LeaderLockOptions {
  /** What is led: `relay`, `projector`, … In one database, each name has at most one leader. */
  readonly name: string;
  readonly postgres: PostgresOptions;
  readonly log: Log;
  /** How often a standby tries, and how long a leader pauses after it steps down. */
  readonly retryIntervalMs?: number;
  /** How often a leader checks its connection. */
  readonly pingIntervalMs?: number;
  /** A ping that takes longer means that leadership is lost. */
  readonly pingTimeoutMs?: number;
  /**
   * After this time without a message from the leader, Postgres ends its session, and with it the lock: a frozen
   * process, or a host that vanished, does not lead forever. Must be well over ping interval + ping timeout, so that a
   * leader that is only cut off has stepped down by then.
   */
  readonly silenceMsMax?: number;
}

const RETRY_INTERVAL_MS = 500;
const PING_INTERVAL_MS = 2_000;
const PING_TIMEOUT_MS = 3_000;
const SILENCE_MS_MAX = 10_000;

/**
 * One leader among many processes: a session-level advisory lock (PostgreSQL manual, 13.3.5) on its own connection.
 * Losing the connection means losing leadership. The lock is no fence: a leader that was frozen may believe that it
 * still leads for a moment after another took over, so every write of a leader needs its own fence (a
 * compare-and-set).
 */
export class LeaderLock {
  readonly name: string;
  private readonly options: Required<LeaderLockOptions>;
  private readonly key: string;
  private holding = false;
  private contended = true;

  constructor(options: LeaderLockOptions) {
    this.name = options.name;
    this.key = advisoryKey(`leader ${options.name}`);
    this.options = {
      retryIntervalMs: RETRY_INTERVAL_MS,
      pingIntervalMs: PING_INTERVAL_MS,
      pingTimeoutMs: PING_TIMEOUT_MS,
      silenceMsMax: SILENCE_MS_MAX,
      ...options,
    };
  }

  /** Whether this process leads now. */
  get leads(): boolean {
    return this.holding;
  }

  /**
   * Contends until the signal aborts. Each time this process wins, `onLead` runs with a signal that aborts when
   * leadership is lost. When `onLead` returns or throws, leadership is released and contended for again. Never throws.
   */
  async run(signal: AbortSignal, onLead: (leadSignal: AbortSignal) => Promise<void>): Promise<void> {
    const { retryIntervalMs } = this.options;
    while (!signal.aborted) {
      try {
        await this.contend(signal, onLead);
      } catch (error) {
        if (!signal.aborted) this.warnOnce(error);
      }
      await delay(retryIntervalMs, { signal });
    }
  }

  /** Once until it can contend again: while Postgres is down, every attempt fails the same way. */
  private warnOnce(error: unknown): void {
    if (this.contended) this.options.log.warn({ err: error, leader: this.name }, 'cannot contend for leadership');
    this.contended = false;
  }

  private async contend(signal: AbortSignal, onLead: (leadSignal: AbortSignal) => Promise<void>): Promise<void> {
    const { postgres, silenceMsMax, pingTimeoutMs } = this.options;
    const client = createClient({ ...postgres, statementTimeoutMs: pingTimeoutMs });
    const lost = new AbortController();
    client.on('error', (error) => lost.abort(error));
    client.on('end', () => lost.abort(new Error('the lock connection ended')));
    const contending = AbortSignal.any([signal, lost.signal]);
    try {
      await client.connect();
      await client.query(`set idle_session_timeout = ${silenceMsMax}`);
      this.contended = true;
      if (await this.acquire(client, contending)) await this.lead(client, contending, lost, onLead);
      if (lost.signal.aborted && !signal.aborted) throw lost.signal.reason;
    } finally {
      this.holding = false;
      await closeClient(client);
    }
  }

  /**
   * Polls instead of waiting inside Postgres: a statement that waits for a lock keeps its snapshot, and a standby
   * would hold back vacuum for as long as the leader lives.
   */
  private async acquire(client: Client, signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted) {
      const { rows } = await client.query<{ won: boolean }>('select pg_try_advisory_lock($1::bigint) as won', [
        this.key,
      ]);
      if (rows[0]?.won) return true;
      await delay(this.options.retryIntervalMs, { signal });
    }
    return false;
  }

  private async lead(
    client: Client,
    signal: AbortSignal,
    lost: AbortController,
    onLead: (leadSignal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const done = new AbortController();
    const pinging = this.ping(client, AbortSignal.any([signal, done.signal]), lost);
    this.holding = true;
    this.options.log.info({ leader: this.name }, 'leadership acquired');
    try {
      await onLead(signal);
    } finally {
      this.holding = false;
      done.abort();
      await pinging;
    }
  }

  private async ping(client: Client, signal: AbortSignal, lost: AbortController): Promise<void> {
    const { pingIntervalMs, pingTimeoutMs } = this.options;
    for (;;) {
      await delay(pingIntervalMs, { signal });
      if (signal.aborted) return;
      try {
        await withTimeout(client.query('select 1'), pingTimeoutMs, () => new Error('the ping timed out'));
      } catch (cause) {
        lost.abort(new Error('Postgres does not respond on the lock connection', { cause }));
      }
    }
  }
}
