import { newId } from '../../kernel/uuid.js';
import { type Decider, fold } from './decider.js';
import type { EventCatalog } from './event-catalog.js';
import type { EventStore, StreamWrite } from './event-store.js';
import type { DomainEvent, NewEvent, StreamRef } from './event.js';
import type { Folded, RememberedStates } from './remembered-states.js';
import type { SnapshotStore } from './snapshot-store.js';

/** Events folded on top of a snapshot before a newer one is taken. */
export const SNAPSHOT_EVERY_EVENTS = 200;

/** One aggregate within a decision: its state, and the events recorded on it so far. */
export interface Participant<State, Event extends DomainEvent> {
  readonly state: State;
  /** The version of the stream, without the events recorded here. */
  readonly version: number;
  /** Adds events to the append and to the state. */
  record(events: readonly Event[]): void;
}

/**
 * Loads the streams a decision needs, each at most once per attempt. They are written in the order of their first
 * events.
 */
export interface Streams {
  load<Command, State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<Command, State, Event>,
  ): Promise<Participant<State, Event>>;

  /** Like `load`, for a stream that most likely does not exist yet: it is read only if it does. */
  begin<Command, State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<Command, State, Event>,
  ): Promise<Participant<State, Event>>;
}

export interface DecisionSources {
  readonly store: EventStore;
  readonly catalog: EventCatalog;
  readonly snapshots: SnapshotStore;
  readonly remembered: RememberedStates;
}

interface Loaded {
  readonly stream: StreamRef;
  readonly version: number;
  readonly snapshotVersion: number;
  /** Not read: the append verifies it. */
  readonly presumed: boolean;
  readonly events: NewEvent[];
  state: unknown;
}

/** One attempt at a decision: the streams it has loaded and the events it will append. */
export class DecisionSession implements Streams {
  private readonly loaded: Loaded[] = [];
  private readonly written: Loaded[] = [];

  /**
   * @param presume uses the last known states of streams, without a read
   * @param beforeLoad awaited before each stream is loaded
   */
  constructor(
    private readonly sources: DecisionSources,
    private readonly presume: boolean,
    private readonly beforeLoad: (stream: StreamRef) => Promise<void>,
  ) {}

  /** The streams with new events. */
  get writes(): StreamWrite[] {
    return this.written.map(({ stream, version, events }) => ({ stream, expectedVersion: version, events }));
  }

  get presumes(): boolean {
    return this.loaded.some(({ presumed }) => presumed);
  }

  /** Whether the append verifies every stream that was presumed. */
  get isCheckedByAppend(): boolean {
    return this.loaded.every(({ presumed, events }) => !presumed || events.length > 0);
  }

  /** @param recordedNow false if the log already held this append, decided on an earlier state */
  appended(recordedNow: boolean): void {
    const { remembered } = this.sources;
    for (const { stream, version, snapshotVersion, events, state } of this.written) {
      if (recordedNow) remembered.advance(stream.id, { version: version + events.length, snapshotVersion, state });
      else remembered.forget(stream.id);
    }
  }

  async load<Command, State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<Command, State, Event>,
  ): Promise<Participant<State, Event>> {
    await this.beforeLoad(stream);
    const known = this.sources.remembered.get(stream.id);
    const presumed = known !== undefined && this.presume && !known.shared;
    const folded = presumed ? known : await this.read(stream, decider);
    return this.participant(stream, decider, await this.withSnapshot(stream, decider, folded), presumed);
  }

  async begin<Command, State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<Command, State, Event>,
  ): Promise<Participant<State, Event>> {
    if (!this.presume || this.sources.remembered.get(stream.id)) return this.load(stream, decider);
    return this.participant(stream, decider, initialFold(decider), true);
  }

  private participant<State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<never, State, Event>,
    folded: Folded,
    presumed: boolean,
  ): Participant<State, Event> {
    const loaded: Loaded = { ...folded, stream, presumed, events: [] };
    this.loaded.push(loaded);
    return {
      version: loaded.version,
      get state() {
        return loaded.state as State;
      },
      record: (events) => {
        loaded.state = fold(decider, loaded.state as State, events);
        if (loaded.events.length === 0 && events.length > 0) this.written.push(loaded);
        loaded.events.push(...events.map((event) => this.newEvent(event)));
      },
    };
  }

  private newEvent(event: DomainEvent): NewEvent {
    const schemaVersion = this.sources.catalog.schemaVersionOf(event);
    return { eventId: newId(), type: event.type, schemaVersion, data: event.data as NewEvent['data'] };
  }

  private async read<State, Event extends DomainEvent>(
    stream: StreamRef,
    decider: Decider<never, State, Event>,
  ): Promise<Folded> {
    const { store, remembered } = this.sources;
    const base = remembered.get(stream.id) ?? (await this.snapshotOf(stream, decider)) ?? initialFold(decider);
    const events = await store.readStream(stream, { afterVersion: base.version });
    const state = fold(decider, base.state as State, events as unknown as readonly Event[]);
    const folded = { version: base.version + events.length, snapshotVersion: base.snapshotVersion, state };
    if (folded.version > 0) remembered.learn(stream.id, folded);
    return folded;
  }

  private async snapshotOf<State, Event extends DomainEvent>(
    stream: StreamRef,
    { reducerVersion }: Decider<never, State, Event>,
  ): Promise<Folded | null> {
    if (reducerVersion === undefined) return null;
    const snapshot = await this.sources.snapshots.load(stream, reducerVersion);
    return snapshot && { ...snapshot, snapshotVersion: snapshot.version };
  }

  /** Takes a snapshot if the last one is too many events old. */
  private async withSnapshot<State, Event extends DomainEvent>(
    stream: StreamRef,
    { reducerVersion }: Decider<never, State, Event>,
    folded: Folded,
  ): Promise<Folded> {
    const { version, snapshotVersion, state } = folded;
    if (reducerVersion === undefined || version - snapshotVersion < SNAPSHOT_EVERY_EVENTS) return folded;
    await this.sources.snapshots.save(stream, reducerVersion, { version, state });
    this.sources.remembered.snapshotTaken(stream.id, version);
    return { ...folded, snapshotVersion: version };
  }
}

const initialFold = <State>({ initialState }: { readonly initialState: State }): Folded => {
  return { version: 0, snapshotVersion: 0, state: initialState };
};
