import { DomainError, Unavailable, VersionConflict } from '../../kernel/errors.js';
import { KeyedMutex } from '../../platform/async/keyed-mutex.js';
import { DecisionSession, type DecisionSources, type Streams } from './decision-session.js';
import type { EventCatalog } from './event-catalog.js';
import type { EventStore, StreamWrite } from './event-store.js';
import type { EventMetadata, StreamRef } from './event.js';
import { RememberedStates } from './remembered-states.js';
import type { SnapshotStore } from './snapshot-store.js';

/** Attempts at one decision: a version conflict starts the next one. */
export const DECISION_ATTEMPTS_MAX = 8;

export interface Decided<Result> {
  readonly result: Result;
  /** Of the last event appended; null if the decision appends none. */
  readonly position: bigint | null;
}

/** Loads, decides and appends, over one stream or several, all or nothing. Repeats on a version conflict. */
export class DecisionRunner {
  /**
   * By stream. After a conflict, a decision acquires the mutex of that stream for its next attempt. Later decisions on
   * the stream wait behind it, unless they already hold another mutex. Without the mutex, if a dozen decisions retried
   * at once, one would succeed each time, and the last ones would use up their attempts on each other or on new
   * arrivals.
   */
  private readonly mutex = new KeyedMutex();
  private readonly sources: DecisionSources;

  constructor(store: EventStore, catalog: EventCatalog, snapshots: SnapshotStore) {
    this.sources = { store, catalog, snapshots, remembered: new RememberedStates() };
  }

  /** For a log that may have been restored from a backup: the remembered states prove nothing then. */
  forget(): void {
    this.sources.remembered.forgetAll();
  }

  /**
   * @param decide may run several times; recording events must be its only effect
   * @throws DomainError as `decide` does; `event_id_reused` if the command was recorded before
   * @throws Unavailable after {@link DECISION_ATTEMPTS_MAX} conflicts, or if the store is unavailable
   */
  async run<Result>(
    metadata: EventMetadata,
    decide: (streams: Streams) => Promise<Result> | Result,
  ): Promise<Decided<Result>> {
    // One lock at most: two decisions that each hold one and wait for the other would deadlock.
    let lock: Promise<() => void> | undefined;
    const acquire = (streamId: string) => (lock ??= this.mutex.acquire(streamId));
    try {
      return await this.decideAndAppend(metadata, decide, acquire);
    } finally {
      (await lock)?.();
    }
  }

  private async decideAndAppend<Result>(
    metadata: EventMetadata,
    decide: (streams: Streams) => Promise<Result> | Result,
    acquire: (streamId: string) => Promise<unknown>,
  ): Promise<Decided<Result>> {
    const beforeLoad = async ({ id }: StreamRef): Promise<void> => {
      if (this.mutex.isLocked(id)) await acquire(id);
    };
    for (let attempt = 1; attempt <= DECISION_ATTEMPTS_MAX; attempt += 1) {
      const { session, result } = await this.decide(decide, attempt === 1, beforeLoad);
      const writes = identified(session.writes, metadata.command_id);
      if (writes.length === 0) return { result, position: null };
      try {
        const { lastPosition, recordedNow } = await this.sources.store.append(writes, metadata);
        session.appended(recordedNow);
        return { result, position: lastPosition };
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error;
        if (error.actualVersion < error.expectedVersion) this.sources.remembered.forget(error.streamId);
        await acquire(error.streamId);
      }
    }
    throw new Unavailable('event-store', `the streams kept changing: gave up after ${DECISION_ATTEMPTS_MAX} attempts`);
  }

  /**
   * @param presume uses the last known states of the streams, without a read. This is as good as a read if the
   * decision appends to every one of them: the log refuses the append if one has changed. Otherwise the streams are
   * read and the decision is made again.
   */
  private async decide<Result>(
    decide: (streams: Streams) => Promise<Result> | Result,
    presume: boolean,
    beforeLoad: (stream: StreamRef) => Promise<void>,
  ): Promise<{ session: DecisionSession; result: Result }> {
    const session = new DecisionSession(this.sources, presume, beforeLoad);
    try {
      const result = await decide(session);
      if (session.isCheckedByAppend) return { session, result };
    } catch (error) {
      if (!(error instanceof DomainError && session.presumes)) throw error;
    }
    return this.decide(decide, false, beforeLoad);
  }
}

/** Gives the last event the id of the command: the log then refuses a command that was recorded before. */
function identified(writes: readonly StreamWrite[], commandId: string | undefined): readonly StreamWrite[] {
  const write = writes.at(-1);
  const event = write?.events.at(-1);
  if (!write || !event || commandId === undefined) return writes;
  const events = [...write.events.slice(0, -1), { ...event, eventId: commandId }];
  return [...writes.slice(0, -1), { ...write, events }];
}
