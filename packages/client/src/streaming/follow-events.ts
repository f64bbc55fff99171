import type { HistoryEvent, TestResult } from '../api-objects.js';
import { ConnectionError, InvalidResponseError } from '../errors.js';
import type { Http } from '../http.js';
import { unwrapOrEmpty } from '../unwrap.js';
import { readBytes } from './read-bytes.js';
import { Reconnects } from './reconnects.js';
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.js';

/** A test that has been run. */
export type FinishedTest = { readonly index: number } & Pick<
  TestResult,
  'name' | 'verdict' | 'points' | 'wall_time_ms' | 'cpu_time_ms' | 'memory_usage_bytes'
>;

export type EventItem =
  { readonly type: 'event'; readonly event: HistoryEvent } | { readonly type: 'test'; readonly test: FinishedTest };

/** The service sends a comment every 15 s. */
const SILENCE = { msMax: 45_000 };

/**
 * The events of an execution and its finished tests, each once, until the execution has ended. Continues after the last
 * event when the connection breaks.
 */
export async function* followEvents(http: Http, id: string, signal: AbortSignal): AsyncGenerator<EventItem, void> {
  const reconnects = new Reconnects();
  const place = new Place();
  for (;;) {
    let broken: ConnectionError | null = null;
    try {
      const connection = await connect(http, id, place.lastEventId, signal);
      if (connection === null) return;
      for await (const message of connection) {
        const item = place.add(message);
        if (item === null) continue;
        reconnects.progress();
        yield item;
      }
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      broken = error;
    }
    await reconnects.pause(signal, broken);
  }
}

/** One connection. @returns null if the execution has ended and there are no more events */
export async function connect(http: Http, id: string, lastEventId: string, signal: AbortSignal) {
  const body = await unwrapOrEmpty(
    http.GET('/api/v1/executions/{id}/events', {
      params: { path: { id }, header: lastEventId === '' ? {} : { 'Last-Event-ID': lastEventId } },
      headers: { accept: 'text/event-stream' },
      parseAs: 'stream',
      signal,
    }),
  );
  return body ? serverSentEvents(readBytes(body, signal, SILENCE)) : null;
}

/** What the consumer has already. */
class Place {
  lastEventId = '';
  /** Tests have no id: after a reconnect, those of the attempt under way come again. */
  private readonly tests = new Set<number>();

  /** @returns null for what it has */
  add({ id, event, data }: ServerSentEvent): EventItem | null {
    if (event === 'test') {
      const test = parsed<FinishedTest>(data);
      if (this.tests.has(test.index)) return null;
      this.tests.add(test.index);
      return { type: 'test', test };
    }
    if (event === 'ExecutionAttemptStarted') this.tests.clear();
    this.lastEventId = id;
    return { type: 'event', event: parsed<HistoryEvent>(data) };
  }
}

function parsed<Value>(data: string): Value {
  try {
    return JSON.parse(data) as Value;
  } catch (cause) {
    throw new InvalidResponseError('An event of the stream is no JSON', { cause });
  }
}
