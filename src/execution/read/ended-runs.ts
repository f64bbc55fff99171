import { Injectable } from '@nestjs/common';
import { Pool } from 'pg';

import { OUTCOMES } from '../../kernel/run-shape.js';
import { PositionAnnouncements } from '../../platform/projection/position-announcements.js';

/** For an announcement that was lost, or NATS being away. */
const POLL_INTERVAL_MS = 250;

/**
 * Waits for runs to end, as the read model tells it: whoever was told reads the end in every view. It looks when the
 * projector says that it has moved on; one query serves all who wait, one at a time.
 */
@Injectable()
export class EndedRuns {
  private readonly waiters = new Map<string, Set<() => void>>();
  private stopWatching: (() => void) | null = null;
  private looking = false;
  private lookAgain = false;

  constructor(
    private readonly pool: Pool,
    private readonly projected: PositionAnnouncements,
  ) {}

  /**
   * Resolves when the run has ended, the time is up or the signal aborted, whichever comes first. Never rejects: with
   * Postgres away the time will be up.
   */
  async wait(executionId: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const leave = () => {
        clearTimeout(late);
        signal.removeEventListener('abort', leave);
        this.forget(executionId, leave);
        resolve();
      };
      const late = setTimeout(leave, timeoutMs);
      signal.addEventListener('abort', leave);
      const waiting = this.waiters.get(executionId) ?? new Set();
      this.waiters.set(executionId, waiting.add(leave));
      this.stopWatching ??= this.watch();
      void this.look();
    });
  }

  private forget(executionId: string, waiter: () => void): void {
    const waiting = this.waiters.get(executionId);
    waiting?.delete(waiter);
    if (waiting?.size === 0) this.waiters.delete(executionId);
    if (this.waiters.size > 0) return;
    this.stopWatching?.();
    this.stopWatching = null;
  }

  private watch(): () => void {
    const look = () => void this.look();
    const stopListening = this.projected.onPosition(look);
    const timer = setInterval(look, POLL_INTERVAL_MS);
    return () => {
      stopListening();
      clearInterval(timer);
    };
  }

  private async look(): Promise<void> {
    this.lookAgain = true;
    if (this.looking) return;
    this.looking = true;
    // What is announced during a look may have come too late for it.
    while (this.lookAgain && this.waiters.size > 0) {
      this.lookAgain = false;
      for (const executionId of await this.ended()) {
        for (const leave of [...(this.waiters.get(executionId) ?? [])]) leave();
      }
    }
    this.looking = false;
  }

  /** Of those that somebody waits for. */
  private async ended(): Promise<readonly string[]> {
    try {
      const { rows } = await this.pool.query<{ id: string }>({
        name: 'ended_runs',
        text: 'select id from read.executions where id = any($1::uuid[]) and status = any($2)',
        values: [[...this.waiters.keys()], OUTCOMES],
      });
      return rows.map(({ id }) => id);
    } catch {
      // An outage: the next look comes with the poll.
      return [];
    }
  }
}
