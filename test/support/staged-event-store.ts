import type { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import type { AppendResult, StreamWrite } from '../../src/event-sourcing/core/event-store.js';
import type { DomainEvent, EventMetadata, RecordedEvent, StreamRef } from '../../src/event-sourcing/core/event.js';
import { type Advance, StreamVersions } from '../../src/event-sourcing/core/stream-versions.js';
import { newId } from '../../src/kernel/uuid.js';
import { metadata } from './builders/people.js';
import { InMemoryEventStore } from './in-memory-event-store.js';

/** An event store in memory with a prepared history, and with hooks before and after calls. */
export class StagedEventStore extends InMemoryEventStore {
  /** Runs before every call. If it throws, that is an outage. */
  before: (call: 'append' | 'read') => void | Promise<void> = () => undefined;
  /** Runs after an append is recorded and before it returns. If it throws, that is a lost response. */
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

  /** Adds history at the stream's current version. */
  async add(stream: StreamRef, ...events: readonly DomainEvent[]): Promise<void> {
    const added = events.map(({ type, data }) => {
      return { eventId: newId(), type, schemaVersion: this.known.schemaVersionOf({ type, data }), data: data as never };
    });
    await super.append([{ stream, expectedVersion: this.versionOf(stream.id), events: added }], metadata);
  }

  /** The events of one stream, without their metadata. */
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
