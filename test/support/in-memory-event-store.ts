import type { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import { type AppendResult, EventStore, type StreamWrite } from '../../src/event-sourcing/core/event-store.js';
import type { EventMetadata, RecordedEvent, StreamRef } from '../../src/event-sourcing/core/event.js';
import { upcastEvent, type StoredEvent } from '../../src/event-sourcing/core/stored-event.js';
import {
  type EncodedAppend,
  encodeAppend,
  type EncodedEvent,
} from '../../src/event-sourcing/event-store/encoded-append.js';
import { DomainError, VersionConflict } from '../../src/kernel/errors.js';

/** The event store as an array, for unit tests of handlers. It passes the same contract suite as the Postgres store. */
export class InMemoryEventStore extends EventStore {
  readonly log: StoredEvent[] = [];
  epoch = 1;

  constructor(private readonly catalog: EventCatalog) {
    super();
  }

  override async append(writes: readonly StreamWrite[], metadata: EventMetadata): Promise<AppendResult> {
    const append = encodeAppend(writes, metadata);
    const before = this.recall(append);
    if (before) return before;
    for (const { streamId, expectedVersion } of append.writes) {
      const actual = this.stream(streamId).length;
      if (actual !== expectedVersion) throw new VersionConflict(streamId, expectedVersion, actual);
    }
    const firstPosition = BigInt(this.log.length + 1);
    for (const event of append.events) this.record(event);
    return { firstPosition, lastPosition: BigInt(this.log.length), recordedNow: true };
  }

  override async readStream(
    stream: StreamRef,
    options: { afterVersion?: number; limit?: number } = {},
  ): Promise<readonly RecordedEvent[]> {
    const { afterVersion = 0, limit } = options;
    const events = this.stream(stream.id.toLowerCase()).filter((event) => event.stream.type === stream.type);
    return this.upcast(events.filter(({ version }) => version > afterVersion).slice(0, limit));
  }

  override async readAll(afterPosition: bigint, limit: number): Promise<readonly RecordedEvent[]> {
    return this.upcast(this.log.slice(Number(afterPosition), Number(afterPosition) + limit));
  }

  override async head(): Promise<{ position: bigint; epoch: number }> {
    return { position: BigInt(this.log.length), epoch: this.epoch };
  }

  private record(event: EncodedEvent): void {
    const position = BigInt(this.log.length + 1);
    this.log.push({ ...event, position, recordedAt: new Date().toISOString() });
  }

  private stream(id: string): StoredEvent[] {
    return this.log.filter(({ stream }) => stream.id === id);
  }

  private upcast(events: readonly StoredEvent[]): RecordedEvent[] {
    return events.map((event) => upcastEvent(this.catalog, event));
  }

  private recall({ events }: EncodedAppend): AppendResult | null {
    const known = events.map(({ eventId }) => this.log.find((event) => event.eventId === eventId));
    if (known.every((event) => event === undefined)) return null;
    const first = known[0]?.position ?? 0n;
    const isRepeat = known.every((event, index) => {
      const given = events[index]!;
      return event && event.position === first + BigInt(index) && saysTheSame(event, given);
    });
    if (!isRepeat) throw new DomainError('event_id_reused', 'an event id was recorded before, with other data');
    return { firstPosition: first, lastPosition: first + BigInt(events.length - 1), recordedNow: false };
  }
}

const saysTheSame = (event: StoredEvent, given: EncodedEvent): boolean =>
  event.type === given.type &&
  event.stream.type === given.stream.type &&
  event.stream.id === given.stream.id &&
  sorted(event.data) === sorted(given.data);

/** Compares like jsonb: the order of keys does not matter. */
function sorted(json: string): string {
  return JSON.stringify(JSON.parse(json), (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}
