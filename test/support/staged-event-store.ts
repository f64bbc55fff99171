import type { DomainEvent, EventMetadata, RecordedEvent, StreamRef } from '../../src/event-sourcing/core/event.js';
import type { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import type { AppendResult, StreamWrite } from '../../src/event-sourcing/core/event-store.js';
import { type Advance, StreamVersions } from '../../src/event-sourcing/core/stream-versions.js';
import { newId } from '../../src/kernel/uuid.js';
import { metadata } from './builders/people.js';
import { InMemoryEventStore } from './in-memory-event-store.js';

/** An event store in memory with a history put there, and with what may come between a call and its answer. */
export class StagedEventStore extends InMemoryEventStore {
  /** Runs ahead of every call. One that throws is an outage. */
  before: (call: 'append' | 'read') => void | Promise<void> = () => undefined;
  /** Runs when an append is recorded and not yet answered. One that throws is a lost answer. */
  appended: () => void | Promise<void> = () => undefined;

  constructor(private readonly known: EventCatalog) {
    super(known);
  }

  override async append(writes: readonly StreamWrite[], given: EventMetadata): Promise<AppendResult> {
    await this.before('append');
    const result = await super.append(writes, given);
    await this.appended();
    return result;
  }

  override async readStream(
    stream: StreamRef,
    options: { afterVersion?: number; limit?: number } = {},
  ): Promise<readonly RecordedEvent[]> {
    await this.before('read');
    return super.readStream(stream, options);
  }

  /** Puts history there, wherever the stream is at. */
  async add(stream: StreamRef, ...events: readonly DomainEvent[]): Promise<void> {
    const added = events.map(({ type, data }) => {
      return { eventId: newId(), type, schemaVersion: this.known.schemaVersionOf({ type, data }), data: data as never };
    });
    await super.append([{ stream, expectedVersion: this.versionOf(stream.id), events: added }], metadata);
  }

  /** The facts alone of one stream. */
  async eventsOf(stream: StreamRef): Promise<DomainEvent[]> {
    return (await super.readStream(stream)).map(({ type, data }) => ({ type, data }));
  }

  versionOf(streamId: string): number {
    return this.log.filter(({ stream }) => stream.id === streamId).length;
  }
}

export class StagedStreamVersions extends StreamVersions {
  constructor(private readonly store: StagedEventStore) {
    super();
  }

  override async versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    await this.store.before('read');
    return new Map(streamIds.map((id) => [id, this.store.versionOf(id)] as const).filter(([, version]) => version > 0));
  }

  override async advanceSince(position: bigint | null): Promise<Advance> {
    await this.store.before('read');
    const { log } = this.store;
    const since = position === null ? [] : log.slice(Number(position));
    return {
      position: BigInt(log.length),
      versions: new Map(since.map(({ stream, version }) => [stream.id, version] as const)),
    };
  }
}
