import { Injectable } from '@nestjs/common';

import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { retryOutage } from '../../platform/async/retry-outage.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { OutputStreamName } from '../../sandbox/sandbox.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionEvent, OutputRef } from '../domain/execution-events.js';
import { type ExecutionState, outcomeOf } from '../domain/execution-state.js';
import { AttemptOutput, restOf, type Sent, sourceOf } from './attempt-output.js';
import { executionEventsAfter } from './execution-events-after.js';
import { outputOf } from './output-excerpt.js';

/**
 * Streams what an execution prints, from the start of the current (or next) attempt to the end of the execution; after
 * a retry, the next attempt's output follows. The log says which attempt runs and when it has ended. Output comes live
 * while the attempt runs. At the end of each attempt, the rest comes from the stored output. So followers get exactly
 * the stored bytes, even if live chunks are lost.
 */
@Injectable()
export class OutputFollower {
  constructor(
    private readonly store: EventStore,
    private readonly payloads: PayloadStore,
    private readonly attempts: AttemptOutput,
  ) {}

  /** Reads ahead only as far as its consumer reads. @param signal ends it, with its reason */
  async *follow(executionId: string, stream: OutputStreamName, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const past = await executionEventsAfter(this.store, executionId, 0, signal);
    let state = fold<ExecutionState, ExecutionEvent>(executionDecider, executionDecider.initialState, past);
    let version = past.length;
    const sent = { bytes: 0 };
    // It ended after the caller checked that it had not: the loop has nothing to wait for.
    if (outcomeOf(state) !== null) yield* this.rest(storedBy(latestAttempt(past), stream), sent, signal);
    while (outcomeOf(state) === null) {
      yield* this.attempts.untilNews(executionId, version, sourceOf(state, executionId, stream), sent, signal);
      for (const event of await executionEventsAfter(this.store, executionId, version, signal)) {
        if (event.type === 'ExecutionAttemptStarted') sent.bytes = 0;
        yield* this.rest(storedBy([event], stream), sent, signal);
        state = executionDecider.evolve(state, event);
        version = event.version;
      }
    }
  }

  /** The stored bytes that were not sent live; none if the stored output was destroyed. */
  private async *rest(output: OutputRef | null, sent: Sent, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    if (output === null) return;
    const content = await retryOutage(() => outputOf(output, this.payloads), signal);
    const bytes = restOf(content ?? new Uint8Array(), sent);
    if (bytes.length > 0) yield bytes;
  }
}

const latestAttempt = (events: readonly RecordedEvent<ExecutionEvent>[]) =>
  events.slice(
    Math.max(
      0,
      events.findLastIndex(({ type }) => type === 'ExecutionAttemptStarted'),
    ),
  );

/** The stored output in the last of these events that has a result; null if none has. */
function storedBy(events: readonly RecordedEvent<ExecutionEvent>[], stream: OutputStreamName): OutputRef | null {
  const last = events.findLast(({ data }) => 'result' in data && data.result !== null);
  return last === undefined ? null : (last.data as { result: Record<OutputStreamName, OutputRef> }).result[stream];
}
