import { setTimeout as delay } from 'node:timers/promises';

import { Unavailable } from '../../kernel/errors.js';
import type { StreamVersions } from '../../kernel/ports/stream-versions.js';
import type { Log } from '../telemetry/log.js';

/** Where no notice of an append comes (it is a hint and no more), a change is seen so late. */
const POLL_INTERVAL_MS = 500;
/** However much is appended elsewhere, the database is asked no more often. */
const LOOK_INTERVAL_MS_MIN = 20;

interface Waiter {
  readonly streamId: string;
  readonly version: number;
  readonly resolve: () => void;
}

/** Tells when a stream has new events. One question to the database serves all who wait. */
export class StreamWatch {
  private readonly waiters = new Set<Waiter>();
  private looking = false;
  private news: (() => void) | null = null;

  /** @param onAppend calls back after any append anywhere, most of the time. @returns how to stop that */
  constructor(
    private readonly versions: StreamVersions,
    private readonly onAppend: (listener: () => void) => () => void,
    private readonly log: Log,
  ) {}

  /** Resolves once the stream has more than so many events, or when the signal aborts. Never rejects. */
  beyond(streamId: string, version: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done);
        this.waiters.delete(waiter);
        resolve();
      };
      const waiter: Waiter = { streamId, version, resolve: done };
      signal.addEventListener('abort', done, { once: true });
      this.waiters.add(waiter);
      this.news?.();
      void this.look();
    });
  }

  /** While anybody waits. */
  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    let heard = Promise.withResolvers<void>();
    this.news = () => heard.resolve();
    const stopListening = this.onAppend(this.news);
    while (this.waiters.size > 0) {
      // Before the question: what is appended while it is answered asks for another one.
      heard = Promise.withResolvers<void>();
      await this.ask();
      if (this.waiters.size > 0) await Promise.race([heard.promise, this.pause(POLL_INTERVAL_MS)]);
      await this.pause(LOOK_INTERVAL_MS_MIN);
    }
    stopListening();
    this.looking = false;
  }

  private async ask(): Promise<void> {
    try {
      const waiting = [...this.waiters];
      const versions = await this.versions.versionsOf([...new Set(waiting.map(({ streamId }) => streamId))]);
      for (const { streamId, version, resolve } of waiting) if ((versions.get(streamId) ?? 0) > version) resolve();
    } catch (error) {
      // Nothing is known to have changed: the next look may tell.
      if (!(error instanceof Unavailable)) this.log.error({ err: error }, 'versions of streams not read');
    }
  }

  private pause(ms: number): Promise<void> {
    return delay(ms, undefined, { ref: false });
  }
}
