import { Injectable } from '@nestjs/common';

import { fold } from '../../event-sourcing/core/decider.js';
import { EventStore } from '../../event-sourcing/core/event-store.js';
import { eventsAs, type RecordedEvent } from '../../event-sourcing/core/event.js';
import { StreamWatch } from '../../event-sourcing/event-store/stream-watch.js';
import { Unavailable } from '../../kernel/errors.js';
import { LiveOutput, type OutputChunk, type OutputSource } from '../../live-output/live-output.js';
import { delay } from '../../platform/async/delay.js';
import { retryOutage } from '../../platform/async/retry-outage.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import type { OutputStreamName } from '../../sandbox/sandbox.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionEvent, OutputRef } from '../domain/execution-events.js';
import { type ExecutionState, executionStream, outcomeOf } from '../domain/execution-state.js';
import { liveSource } from '../domain/live-source.js';
import { outputOf } from './output-excerpt.js';

/** Delay before the next try while the live output cannot be read. */
const LIVE_RETRY_MS = 500;

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
    private readonly live: LiveOutput,
    private readonly watch: StreamWatch,
  ) {}

  /** Reads ahead only as far as its consumer reads. @param signal ends it, with its reason */
  async *follow(executionId: string, stream: OutputStreamName, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const past = await this.eventsAfter(executionId, 0, signal);
    let state = fold<ExecutionState, ExecutionEvent>(executionDecider, executionDecider.initialState, past);
    let version = past.length;
    const sent = { bytes: 0 };
    // It ended after the caller checked that it had not: the loop has nothing to wait for.
    if (outcomeOf(state) !== null) yield* this.rest(storedBy(latestAttempt(past), stream), sent, signal);
    while (outcomeOf(state) === null) {
      yield* this.untilNews(executionId, version, sourceOf(state, executionId, stream), sent, signal);
      for (const event of await this.eventsAfter(executionId, version, signal)) {
        if (event.type === 'ExecutionAttemptStarted') sent.bytes = 0;
        yield* this.rest(storedBy([event], stream), sent, signal);
        state = executionDecider.evolve(state, event);
        version = event.version;
      }
    }
  }

  /** Live output until the stream has a new event. */
  private async *untilNews(
    executionId: string,
    version: number,
    source: OutputSource | null,
    sent: { bytes: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const news = new AbortController();
    const over = AbortSignal.any([signal, news.signal]);
    const watching = this.watch.beyond(executionId, version, over).then(() => news.abort());
    try {
      while (source !== null && !over.aborted) yield* this.fresh(source, sent, over);
      await watching;
    } finally {
      news.abort();
    }
    signal.throwIfAborted();
  }

  /** Yields each byte once and in order. A chunk that is not the next one is a repeat or too early: it is skipped. */
  private async *fresh(source: OutputSource, sent: { bytes: number }, over: AbortSignal): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.live.read(source, over)) {
        const bytes = continued(chunk, sent.bytes);
        if (bytes === null) continue;
        sent.bytes += bytes.length;
        yield bytes;
      }
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      await delay(LIVE_RETRY_MS, { signal: over });
    }
  }

  /** The stored bytes that were not sent live; none if the stored output was destroyed. */
  private async *rest(
    output: OutputRef | null,
    sent: { bytes: number },
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    if (output === null) return;
    const content = await retryOutage(() => outputOf(output, this.payloads), signal);
    const bytes = content?.subarray(sent.bytes) ?? new Uint8Array();
    sent.bytes += bytes.length;
    if (bytes.length > 0) yield bytes;
  }

  private async eventsAfter(executionId: string, afterVersion: number, signal: AbortSignal) {
    const read = () => this.store.readStream(executionStream(executionId), { afterVersion });
    return eventsAs<ExecutionEvent>(await retryOutage(read, signal));
  }
}

/** Null while no attempt runs, and for an external execution. */
function sourceOf(state: ExecutionState, executionId: string, stream: OutputStreamName): OutputSource | null {
  if (state.status !== 'running' && state.status !== 'cancelling') return null;
  const { attempt, lease_token: leaseToken } = state;
  return leaseToken === null ? null : liveSource({ executionId, attempt, leaseToken }, stream);
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

function continued({ offset, bytes }: OutputChunk, sent: number): Uint8Array | null {
  if (offset > sent || offset + bytes.length <= sent) return null;
  return bytes.subarray(sent - offset);
}
