import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import type { Pool } from 'pg';

import type { PostgresOptions } from '../../platform/postgres/pool.js';
import type { Log } from '../../platform/telemetry/log.js';
import { currentTraceparent, inSpan } from '../../platform/telemetry/trace-context.js';
import type { EventCatalog } from '../core/event-catalog.js';
import { type AppendResult, EventStore, type StreamWrite } from '../core/event-store.js';
import { type EventMetadata, type RecordedEvent, streamName, type StreamRef } from '../core/event.js';
import { upcastEvent, type StoredEvent } from '../core/stored-event.js';
import { APPEND_CHANNEL } from './append-channel.js';
import { type AppendListener, AppendNotifier } from './append-notifier.js';
import { AppendQueue, type PendingAppend } from './append-queue.js';
import { type AppendOutcome, AppendWriter } from './append-writer.js';
import { encodeAppend, type EncodedAppend } from './encoded-append.js';
import { EventReader } from './event-reader.js';
import { OtherListeners } from './other-listeners.js';
import { RecentEvents } from './recent-events.js';

export interface PostgresEventStoreOptions {
  /** Of the role of the application; appends use their own connection. */
  readonly postgres: PostgresOptions;
  /** For reads. The store does not close it. */
  readonly pool: Pool;
  readonly catalog: EventCatalog;
  readonly log: Log;
}

/** Events read at a time when a whole stream is read. */
const STREAM_PAGE_EVENTS = 1_000;

/** The log in Postgres, schema `es`. Call `close()` when done. */
export class PostgresEventStore extends EventStore {
  private readonly catalog: EventCatalog;
  private readonly reader: EventReader;
  private readonly writer: AppendWriter;
  private readonly notifier: AppendNotifier;
  private readonly queue: AppendQueue<AppendResult>;
  /** Events as this process wrote them: Postgres prints the same JSON with its members in another order. */
  readonly recent = new RecentEvents();
  private readonly lostListeners = new Set<() => void>();
  private readonly others: OtherListeners;

  constructor({ postgres, pool, catalog, log }: PostgresEventStoreOptions) {
    super();
    this.catalog = catalog;
    this.reader = new EventReader(pool);
    this.writer = new AppendWriter(postgres, () => {
      this.recent.forget();
      for (const listener of this.lostListeners) listener();
    });
    this.others = new OtherListeners(pool);
    this.notifier = new AppendNotifier((position) => this.writer.notify(APPEND_CHANNEL, position), this.others, log);
    this.queue = new AppendQueue((batch) => this.writeBatch(batch));
  }

  override append(writes: readonly StreamWrite[], metadata: EventMetadata): Promise<AppendResult> {
    return inSpan('events.append', { kind: SpanKind.CLIENT }, async (span: Span) => {
      if (span.isRecording()) span.setAttributes(attributesOf(writes));
      const traceparent = metadata.traceparent ?? currentTraceparent();
      const stamped = traceparent === undefined ? metadata : { ...metadata, traceparent };
      const result = await this.queue.add(encodeAppend(writes, stamped));
      if (span.isRecording()) span.setAttribute('voidrunner.position', result.lastPosition.toString());
      return result;
    });
  }

  override async readStream(
    stream: StreamRef,
    options: { afterVersion?: number | undefined; limit?: number | undefined } = {},
  ): Promise<readonly RecordedEvent[]> {
    const { afterVersion = 0, limit = Number.POSITIVE_INFINITY } = options;
    const events: RecordedEvent[] = [];
    while (events.length < limit) {
      const wanted = Math.min(STREAM_PAGE_EVENTS, limit - events.length);
      const page = await this.reader.readStreamStored(stream, afterVersion + events.length, wanted);
      for (const event of page) events.push(upcastEvent(this.catalog, event));
      if (page.length < wanted) break;
    }
    return events;
  }

  /** @throws PoisonEvent if one of them cannot be upcast; {@link readAllStored} leaves that to the caller */
  override async readAll(afterPosition: bigint, limit: number): Promise<readonly RecordedEvent[]> {
    const events = await this.reader.readAllStored(afterPosition, limit);
    return events.map((event) => upcastEvent(this.catalog, event));
  }

  override head(): Promise<{ position: bigint; epoch: number }> {
    return this.reader.head();
  }

  /** Events after a position as they are stored, at most `limit`. @throws Unavailable */
  readAllStored(afterPosition: bigint, limit: number): Promise<readonly StoredEvent[]> {
    return this.reader.readAllStored(afterPosition, limit);
  }

  /** A stream's events after a version as they are stored, at most `limit`. @throws Unavailable */
  readStreamStored(stream: StreamRef, afterVersion: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.reader.readStreamStored(stream, afterVersion, limit);
  }

  /** Large batches, each fetched ahead: for rebuilds and audits. @throws Unavailable */
  scan(afterPosition: bigint, untilPosition: bigint, batchEvents?: number): AsyncGenerator<StoredEvent[]> {
    return this.reader.scan(afterPosition, untilPosition, batchEvents);
  }

  /** Whether other processes listen to appends to this log, as all that use it do; true if unknown. */
  isShared(): boolean {
    return this.others.areListening();
  }

  /**
   * Calls the listener as soon as appends of this process are committed, with a committed position.
   * @returns a function that stops listening
   */
  onAppended(listener: AppendListener): () => void {
    return this.notifier.onAppended(listener);
  }

  /** Called when the append connection is lost: the next one may reach another log, restored from a backup. */
  onConnectionLost(listener: () => void): void {
    this.lostListeners.add(listener);
  }

  /** Waits for pending appends, then closes the store's own connection. */
  async close(): Promise<void> {
    await this.queue.idle();
    await this.notifier.close();
    await this.writer.close();
  }

  /** Settles every append of the batch. */
  private async writeBatch(batch: readonly PendingAppend<AppendResult>[]): Promise<void> {
    const { generation } = this.recent;
    const outcomes = await this.writer.write(batch.map(({ append }) => append));
    for (const [index, pending] of batch.entries()) {
      const outcome = outcomes[index]!;
      if ('error' in outcome) pending.reject(outcome.error);
      else pending.resolve(outcome.result);
    }
    // Callers continue first: the next append of a single caller is sent before this work is done.
    process.nextTick(() => this.announce(batch, outcomes, generation));
  }

  /** Adds the events to `recent` before the listeners are called. */
  private announce(
    batch: readonly PendingAppend<AppendResult>[],
    outcomes: readonly AppendOutcome[],
    generation: number,
  ): void {
    let newest = 0n;
    for (const [index, outcome] of outcomes.entries()) {
      if ('error' in outcome) continue;
      const { result, recordedMs } = outcome;
      if (recordedMs !== null && this.recent.isWanted) {
        this.recent.add(recordedEvents(batch[index]!.append, result.firstPosition, recordedMs), generation);
      }
      if (result.recordedNow && result.lastPosition > newest) newest = result.lastPosition;
    }
    if (newest > 0n) this.notifier.announce(newest);
  }
}

function recordedEvents({ events }: EncodedAppend, firstPosition: bigint, recordedMs: bigint): StoredEvent[] {
  const recordedAt = new Date(Number(recordedMs)).toISOString();
  return events.map((event, index) => ({ ...event, position: firstPosition + BigInt(index), recordedAt }));
}

function attributesOf(writes: readonly StreamWrite[]): Attributes {
  return {
    'db.system.name': 'postgresql',
    'voidrunner.streams': writes.map(({ stream }) => streamName(stream)),
    'voidrunner.events': writes.flatMap(({ events }) => events.map(({ type }) => type)),
  };
}
