import { Injectable } from '@nestjs/common';

import { EventStore } from '../../event-sourcing/core/event-store.js';
import type { RecordedEvent } from '../../event-sourcing/core/event.js';
import { retryOutage } from '../../platform/async/retry-outage.js';
import { PayloadStore } from '../../platform/payloads/payload-store.js';
import { executionDecider } from '../domain/execution-decider.js';
import type { ExecutionEvent, RunResult } from '../domain/execution-events.js';
import { outcomeOf } from '../domain/execution-state.js';
import { decodeTestResults, progressLine, type TestProgress } from '../domain/test-results.js';
import { AttemptOutput, restOf, type Sent, sourceOf } from './attempt-output.js';
import { executionEventsAfter } from './execution-events-after.js';
import { withoutLeaseToken } from './lease-token-redaction.js';

const LINE_FEED = 0x0a;

export type SuiteNews =
  { readonly kind: 'event'; readonly event: RecordedEvent } | { readonly kind: 'test'; readonly test: TestProgress };

/**
 * Follows an execution with tests: its events, and before the end of each attempt its finished tests, each once and in
 * order. They come live while the attempt runs; what was lost comes from the stored results.
 */
@Injectable()
export class SuiteFollower {
  constructor(
    private readonly store: EventStore,
    private readonly payloads: PayloadStore,
    private readonly attempts: AttemptOutput,
  ) {}

  /**
   * Yields what comes after a version, until the execution has ended. A follower that comes back in the middle of an
   * attempt gets the tests of that attempt again. @param signal ends it, with its reason
   */
  async *follow(executionId: string, afterVersion: number, signal: AbortSignal): AsyncGenerator<SuiteNews> {
    let state = executionDecider.initialState;
    let version = 0;
    const sent: Sent = { bytes: 0 };
    const lines = new Lines();
    for (;;) {
      for (const event of await executionEventsAfter(this.store, executionId, version, signal)) {
        if (event.type === 'ExecutionAttemptStarted') {
          sent.bytes = 0;
          lines.forget();
        }
        state = executionDecider.evolve(state, event);
        version = event.version;
        if (version <= afterVersion) continue;
        yield* lines.add(await this.rest(event, sent, signal));
        yield { kind: 'event', event: withoutLeaseToken(event) };
      }
      if (outcomeOf(state) !== null) return;
      const source = sourceOf(state, executionId, 'tests');
      for await (const bytes of this.attempts.untilNews(executionId, version, source, sent, signal))
        yield* lines.add(bytes);
    }
  }

  /** The lines of the attempt that an event ends, beyond those sent live; none if they have been destroyed. */
  private async rest({ data }: RecordedEvent<ExecutionEvent>, sent: Sent, signal: AbortSignal): Promise<Uint8Array> {
    const result = 'result' in data ? (data.result as RunResult | null) : null;
    const suite = result?.suite;
    if (!suite?.tests || sent.bytes === suite.progress_bytes) return new Uint8Array();
    const ref = suite.tests;
    const content = await retryOutage(() => this.payloads.get(ref), signal);
    return content ? restOf(Buffer.concat(decodeTestResults(content).map(progressLine)), sent) : new Uint8Array();
  }
}

/** Cuts a stream into its lines, which arrive in pieces. */
class Lines {
  private begun = Buffer.alloc(0);

  *add(bytes: Uint8Array): Generator<SuiteNews> {
    let text = Buffer.concat([this.begun, bytes]);
    for (let end = text.indexOf(LINE_FEED); end !== -1; end = text.indexOf(LINE_FEED)) {
      yield { kind: 'test', test: JSON.parse(text.toString('utf8', 0, end)) as TestProgress };
      text = text.subarray(end + 1);
    }
    this.begun = text;
  }

  forget(): void {
    this.begun = Buffer.alloc(0);
  }
}
