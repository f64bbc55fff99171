import { Injectable } from '@nestjs/common';

import { EventStore } from '../../event-sourcing/core/event-store.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { StreamWatch } from '../../event-sourcing/event-store/stream-watch.js';
import { resolvesWithin } from '../../platform/async/timeout.js';
import { executionDecider } from '../domain/execution-decider.js';
import { outcomeOf } from '../domain/execution-state.js';
import { executionEventsAfter } from './execution-events-after.js';
import { withoutLeaseToken } from './lease-token-redaction.js';

/** Follows an execution's events in the log: each event once and in order, even if notifications are lost. */
@Injectable()
export class EventFollower {
  constructor(
    private readonly store: EventStore,
    private readonly watch: StreamWatch,
  ) {}

  /**
   * Yields the events after a version, past and future, until the execution has ended, and null after each `quietMs`
   * without an event. Waits until an outage of Postgres is over. @param signal ends it without an error
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
        if (version > afterVersion) yield withoutLeaseToken(event);
      }
      if (outcomeOf(state) !== null) return;
      if (events.length > 0) continue;
      const news = this.watch.beyond(executionId, version, signal);
      // The same wait continues: a heartbeat costs no query.
      while (!(await resolvesWithin(news, quietMs))) yield null;
    }
  }

  private async eventsAfter(executionId: string, afterVersion: number, signal: AbortSignal) {
    try {
      return await executionEventsAfter(this.store, executionId, afterVersion, signal);
    } catch (error) {
      if (signal.aborted) return [];
      throw error;
    }
  }
}
