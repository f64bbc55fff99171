import { DomainError, Unavailable, VersionConflict } from '../../kernel/errors.js';
import type { EventMetadata, StreamRef } from './event.js';
import type { EventCatalog } from './event-catalog.js';
import { DecisionSession, type DecisionSources, type Streams } from './decision-session.js';
import type { EventStore, StreamWrite } from './event-store.js';
import type { SnapshotStore } from './snapshot-store.js';
import { RememberedStates } from './remembered-states.js';
import { KeyedMutex } from '../../platform/async/keyed-mutex.js';

/** How often a decision is made again after somebody else appended first. */
export const DECISION_ATTEMPTS_MAX = 8;

export interface Decided<Result> {
  readonly result: Result;
  /** Of the last event appended; null where nothing had to be. */
  readonly position: bigint | null;
}

/** Load, decide, append: over one stream or several, all or nothing, again on a version conflict. */
export class DecisionRunner {
  /**
   * By stream. Those who met a conflict stand in line for their next attempt, and whoever comes meanwhile stands behind
   * them (but for those who have a turn elsewhere): of a dozen who all tried again at once, one would get through each
   * time, and the last would use up their attempts on each other, or on those who have just come.
   */
  private readonly mutex = new KeyedMutex();
  private readonly sources: DecisionSources;

  constructor(store: EventStore, catalog: EventCatalog, snapshots: SnapshotStore) {
    this.sources = { store, catalog, snapshots, remembered: new RememberedStates() };
  }

  /** Where the log may have been put back: what was seen of it proves nothing. */
  forget(): void {
    this.sources.remembered.forgetAll();
  }

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
   * @param presume on what was last seen of the streams, without a read. That is as good as reading where the decision
   *   appends to every one of them: the log refuses it where one has changed. Anything else is decided again as they are.
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

/** An append whose last event has the command's id is refused by the log where that command was recorded before. */
function identified(writes: readonly StreamWrite[], commandId: string | undefined): readonly StreamWrite[] {
  const write = writes.at(-1);
  const event = write?.events.at(-1);
  if (!write || !event || commandId === undefined) return writes;
  const events = [...write.events.slice(0, -1), { ...event, eventId: commandId }];
  return [...writes.slice(0, -1), { ...write, events }];
}
