import { Injectable } from '@nestjs/common';

import { eventsAs, type RecordedEvent } from '../../event-sourcing/core/event.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { StreamWatch } from '../../event-sourcing/event-store/stream-watch.js';
import { retryOutage } from '../../platform/async/retry-outage.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import { executionStream, outcomeOf } from '../domain/execution-state.js';
import { asOwnerReads } from './owner-history.js';

/** What happens to a run, from the log: each event once and in order, whatever was missed of the news about it. */
@Injectable()
export class EventFollower {
  constructor(
    private readonly store: EventStore,
    private readonly watch: StreamWatch,
  ) {}

  /**
   * The events after a version, past and to come, until the run has ended; null for every so many milliseconds without
   * one. An outage of Postgres is waited out. @param signal ends it, and is no error
   */
  async *follow(
    executionId: string,
    afterVersion: number,
    quietMs: number,
    signal: AbortSignal,
  ): AsyncGenerator<RecordedEvent | null> {
    let state = executionDecider.initialState;
    let version = 0;
    while (!signal.aborted) {
      const events = await this.eventsAfter(executionId, version, signal);
      for (const event of events) {
        state = executionDecider.evolve(state, event);
        version = event.version;
        if (version > afterVersion) yield asOwnerReads(event);
      }
      if (outcomeOf(state) !== null) return;
      if (events.length > 0) continue;
      const news = this.watch.beyond(executionId, version, signal);
      // The wait goes on through it: a heartbeat asks nobody for anything.
      while (await lasts(news, quietMs)) yield null;
    }
  }

  private async eventsAfter(executionId: string, afterVersion: number, signal: AbortSignal) {
    const read = () => this.store.readStream(executionStream(executionId), { afterVersion });
    try {
      return eventsAs<ExecutionEvent>(await retryOutage(read, signal));
    } catch (error) {
      if (signal.aborted) return [];
      throw error;
    }
  }
}

/** @returns true where a promise is still open after so long */
async function lasts(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const late = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => late.resolve(true), ms);
  try {
    return await Promise.race([promise.then(() => false), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
