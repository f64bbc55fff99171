import { type Decider, fold } from './decider.js';
import { Unavailable, VersionConflict } from './errors.js';
import type { DomainEvent, EventMetadata, NewEvent, StreamRef } from './event.js';
import type { EventCatalog } from './event-catalog.js';
import type { EventStore, StreamWrite } from './ports/event-store.js';
import type { SnapshotStore } from './ports/snapshot-store.js';
import { Turns } from './turns.js';
import { newId } from './uuid.js';

/** How often a decision is made again after somebody else appended first. */
export const DECISION_ATTEMPTS_MAX = 8;

/** Events folded on top of a snapshot before a newer one is taken. */
export const SNAPSHOT_EVERY_EVENTS = 200;

/** One aggregate within a decision: its state, and the events recorded on it so far. */
export interface Participant<State, Event extends DomainEvent> {
  readonly state: State;
  /** Adds events to the append, and to the state. */
  record(events: readonly Event[]): void;
}

export interface Decided<Result> {
  readonly result: Result;
  /** Of the last event appended; null where nothing had to be. */
  readonly position: bigint | null;
}

/** Loads the streams a decision needs, each at most once per attempt; they are written in the order of first events. */
export interface Streams {
  load<Command, State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<Command, State, Event>,
  ): Promise<Participant<State, Event>>;
}

/** Load, decide, append: over one stream or several, all or nothing, again on a version conflict. */
export class DecisionRunner {
  /**
   * By stream. Those who met a conflict stand in line for their next attempt, and whoever comes meanwhile stands behind
   * them: of a dozen who all tried again at once, one would get through each time, and the last would use up their
   * attempts on each other, or on those who have just come.
   */
  private readonly turns = new Turns();

  constructor(
    private readonly store: EventStore,
    private readonly catalog: EventCatalog,
    private readonly snapshots: SnapshotStore,
  ) {}

  /**
   * @param decide may run several times; it must have no effect but the events it records
   * @throws DomainError as `decide` does; `event_id_reused` where the command was recorded before
   * @throws Unavailable after {@link DECISION_ATTEMPTS_MAX} conflicts, or where the store is away
   */
  async run<Result>(
    metadata: EventMetadata,
    decide: (streams: Streams) => Promise<Result> | Result,
  ): Promise<Decided<Result>> {
    // One at most: of two that each hold a turn and wait for the other's, neither would get on.
    let turn: Promise<() => void> | undefined;
    const takeTurn = (streamId: string) => (turn ??= this.turns.take(streamId));
    try {
      return await this.decideAndAppend(metadata, decide, takeTurn);
    } finally {
      (await turn)?.();
    }
  }

  private async decideAndAppend<Result>(
    metadata: EventMetadata,
    decide: (streams: Streams) => Promise<Result> | Result,
    takeTurn: (streamId: string) => Promise<unknown>,
  ): Promise<Decided<Result>> {
    const beforeLoad = async ({ id }: StreamRef): Promise<void> => {
      if (this.turns.isTaken(id)) await takeTurn(id);
    };
    for (let attempt = 1; attempt <= DECISION_ATTEMPTS_MAX; attempt += 1) {
      const session = new Session(this.store, this.catalog, this.snapshots, beforeLoad);
      const result = await decide(session);
      const writes = identified(session.writes, metadata.command_id);
      if (writes.length === 0) return { result, position: null };
      try {
        const { lastPosition } = await this.store.append(writes, metadata);
        return { result, position: lastPosition };
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        await takeTurn(error.streamId);
      }
    }
    throw new Unavailable('event-store', `the streams kept changing: gave up after ${DECISION_ATTEMPTS_MAX} attempts`);
  }
}

/** An append whose last event has the command's id is refused by the log where that command was recorded before. */
function identified(writes: readonly StreamWrite[], commandId: string | undefined): readonly StreamWrite[] {
  const write = writes.at(-1);
  const event = write?.events.at(-1);
  if (!write || !event || commandId === undefined) return writes;
  const events = [...write.events.slice(0, -1), { ...event, eventId: commandId }];
  return [...writes.slice(0, -1), { ...write, events }];
}

class Session implements Streams {
  /** The streams with new events. */
  readonly writes: StreamWrite[] = [];

  constructor(
    private readonly store: EventStore,
    private readonly catalog: EventCatalog,
    private readonly snapshots: SnapshotStore,
    private readonly beforeLoad: (stream: StreamRef) => Promise<void>,
  ) {}

  async load<Command, State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<Command, State, Event>,
  ): Promise<Participant<State, Event>> {
    await this.beforeLoad(stream);
    const loaded = await this.read(stream, decider);
    const write = { stream, expectedVersion: loaded.version, events: [] as NewEvent[] };
    const { catalog, writes } = this;
    return {
      get state() {
        return loaded.state;
      },
      record(events) {
        loaded.state = fold(decider, loaded.state, events);
        if (write.events.length === 0 && events.length > 0) writes.push(write);
        for (const event of events) {
          const schemaVersion = catalog.schemaVersionOf(event);
          write.events.push({
            eventId: newId(),
            type: event.type,
            schemaVersion,
            data: event.data as NewEvent['data'],
          });
        }
      },
    };
  }

  private async read<State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<never, State, Event>,
  ): Promise<{ state: State; version: number }> {
    const { reducerVersion } = decider;
    const snapshot = reducerVersion === undefined ? null : await this.snapshots.load(stream, reducerVersion);
    const afterVersion = snapshot?.version ?? 0;
    const events = await this.store.readStream(stream, { afterVersion });
    const base = snapshot === null ? decider.initialState : (snapshot.state as State);
    const state = fold(decider, base, events as unknown as readonly Event[]);
    const version = afterVersion + events.length;
    if (reducerVersion !== undefined && events.length >= SNAPSHOT_EVERY_EVENTS) {
      await this.snapshots.save(stream, reducerVersion, { version, state });
    }
    return { state, version };
  }
}
