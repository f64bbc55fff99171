import type { EventStore } from '../../event-sourcing/core/event-store.js';
import type { NewEvent } from '../../event-sourcing/core/event.js';
import { VersionConflict } from '../../kernel/errors.js';
import { deterministicId } from '../../kernel/uuid.js';
import type { Log } from '../../platform/telemetry/log.js';
import { userEvents } from '../domain/user-events.js';
import type { SecurityFact } from '../store/entities.js';
import type { FactToRecord } from '../store/identity-database.js';
import type { IdentityStore } from '../store/identity-store.js';

/** Facts of one user that are appended in one flush; the sweep appends the rest. */
const FACTS_AT_A_TIME_MAX = 100;
/** Users whose facts are appended concurrently; the facts of further users wait for the sweep. */
const USERS_AT_A_TIME_MAX = 64;
/** Facts that are written to the outbox in the background; further facts are only logged. */
const RECORDING_MAX = 256;
const CONFLICTS_MAX = 3;

/** A fact of this age is stranded: its process ended between the commit and the append. */
const STRANDED_MS = 5_000;
const SWEEP_INTERVAL_MS = 30_000;
const SWEEP_USERS_MAX = 100;
const EXPIRED_SESSION_KEPT_MS = 24 * 3_600_000;
const EXPIRED_SESSIONS_AT_A_TIME_MAX = 1_000;

export interface SecurityFactsOptions {
  readonly store: IdentityStore;
  readonly events: EventStore;
  readonly log: Log;
}

/**
 * Moves security facts from the outbox to the `user-<uuid>` streams, in order. Event ids are derived from the rows, so
 * two processes that move the same fact append it once. Requests do not wait for it: an outage only delays the facts.
 */
export class SecurityFacts {
  private readonly flushing = new Map<string, { work: Promise<void>; again: boolean }>();
  private readonly schemaVersions = new Map<string, number>(
    Object.values(userEvents).map((type) => [type.type, type.schemaVersion]),
  );
  private readonly recording = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

  constructor(private readonly options: SecurityFactsOptions) {}

  start(): void {
    this.timer = setInterval(() => void this.sweep(), SWEEP_INTERVAL_MS).unref();
  }

  /** Resolves when all work in progress has ended, with or without success. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flushed();
  }

  async flushed(): Promise<void> {
    while (this.sweeping || this.flushing.size > 0 || this.recording.size > 0) {
      await Promise.all([this.sweeping, ...this.recording, ...[...this.flushing.values()].map(({ work }) => work)]);
    }
  }

  /** Records a fact without a row change of its own: writes it to the outbox in the background, then announces it. */
  record(userId: string, fact: FactToRecord): void {
    const { store, log } = this.options;
    const facts = { user_id: userId, type: fact.event.type };
    if (this.recording.size >= RECORDING_MAX) {
      log.warn(facts, 'too many security facts in progress: this one is only logged');
      return;
    }
    const work = store
      .recordFact(userId, fact)
      .then(() => this.announce(userId))
      .catch((error: unknown) => log.warn({ ...facts, err: error }, 'security fact not recorded: it is only logged'))
      .finally(() => this.recording.delete(work));
    this.recording.add(work);
  }

  /** Appends the user's new facts in the background. */
  announce(userId: string): void {
    const running = this.flushing.get(userId);
    if (running) {
      running.again = true;
    } else if (this.flushing.size < USERS_AT_A_TIME_MAX) {
      this.flush(userId);
    }
  }

  /** Appends facts that a crash has stranded, and deletes sessions that expired long ago. Also runs every 30 s. */
  sweep(options: { strandedMs?: number } = {}): Promise<void> {
    this.sweeping ??= this.sweepOnce(options.strandedMs ?? STRANDED_MS).finally(() => {
      this.sweeping = undefined;
    });
    return this.sweeping;
  }

  private async sweepOnce(strandedMs: number): Promise<void> {
    const { store, log } = this.options;
    try {
      for (const userId of await store.findUsersWithStrandedFacts(strandedMs, SWEEP_USERS_MAX)) {
        this.announce(userId);
        await this.flushing.get(userId)?.work;
      }
      await store.deleteExpiredSessions(EXPIRED_SESSION_KEPT_MS, EXPIRED_SESSIONS_AT_A_TIME_MAX);
    } catch (error) {
      log.warn({ err: error }, 'identity sweep failed');
    }
  }

  private flush(userId: string): void {
    const entry = { work: Promise.resolve(), again: false };
    this.flushing.set(userId, entry);
    entry.work = this.appendAll(userId)
      .catch((error: unknown) =>
        this.options.log.warn({ err: error, user_id: userId }, 'security facts not appended: the next sweep retries'),
      )
      .finally(() => {
        this.flushing.delete(userId);
        if (entry.again) this.flush(userId);
      });
  }

  private async appendAll(userId: string): Promise<void> {
    for (const fact of await this.options.store.findFacts(userId, FACTS_AT_A_TIME_MAX)) {
      await this.append(fact);
      await this.options.store.deleteFact(fact.id);
    }
  }

  /** One fact per append: repeating a whole append is allowed, repeating a part of one is an error. */
  private async append(fact: SecurityFact): Promise<void> {
    const event: NewEvent = {
      eventId: deterministicId('security fact', fact.id),
      type: fact.type,
      schemaVersion: this.schemaVersions.get(fact.type) ?? 1,
      data: fact.data,
    };
    const stream = { type: 'user', id: fact.userId } as const;
    let expectedVersion = fact.ordinal - 1;
    for (let conflicts = 0; ; conflicts += 1) {
      try {
        await this.options.events.append([{ stream, expectedVersion, events: [event] }], fact.metadata);
        return;
      } catch (error) {
        if (!(error instanceof VersionConflict) || conflicts === CONFLICTS_MAX) throw error;
        // Identity's tables and the log disagree (one was restored without the other): the log's order applies.
        expectedVersion = error.actualVersion;
      }
    }
  }
}
