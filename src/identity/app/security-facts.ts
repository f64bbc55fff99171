import { VersionConflict } from '../../kernel/errors.js';
import type { NewEvent } from '../../event-sourcing/core/event.js';
import type { EventStore } from '../../event-sourcing/core/event-store.js';
import { deterministicId } from '../../kernel/uuid.js';
import type { Log } from '../../platform/telemetry/log.js';
import { userEvents } from '../domain/user-events.js';
import type { SecurityFact } from '../store/entities.js';
import type { FactToRecord, IdentityStore } from '../store/identity-store.js';

/** Facts of one user appended in one go; the sweep comes for the rest. */
const FACTS_AT_A_TIME_MAX = 100;
/** Users whose facts are being appended; beyond that they wait for the sweep. */
const USERS_AT_A_TIME_MAX = 64;
/** Facts on their way into the outbox without a caller who waits; beyond that they are only logged. */
const TELLING_MAX = 256;
const CONFLICTS_MAX = 3;

/** A fact as old as this was left behind: its process ended between the commit and the append. */
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
 * Moves security facts from the outbox to the `user-<uuid>` streams, in their order. Their event ids follow from their
 * rows, so that two that move the same fact append it once. Never in the way of a request: an outage only delays them.
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

  /** Resolves when what was under way has ended, whichever way. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.flushed();
  }

  async flushed(): Promise<void> {
    while (this.sweeping || this.flushing.size > 0 || this.recording.size > 0) {
      await Promise.all([this.sweeping, ...this.recording, ...[...this.flushing.values()].map(({ work }) => work)]);
    }
  }

  /** A fact that no row of its own stands for: put into the outbox in the background, then announced. */
  record(userId: string, fact: FactToRecord): void {
    const { store, log } = this.options;
    const facts = { user_id: userId, type: fact.event.type };
    if (this.recording.size >= TELLING_MAX) {
      log.warn(facts, 'too many security facts at a time: one is only logged');
      return;
    }
    const work = store
      .recordFact(userId, fact)
      .then(() => this.announce(userId))
      .catch((error: unknown) => log.warn({ ...facts, err: error }, 'a security fact is only logged'))
      .finally(() => this.recording.delete(work));
    this.recording.add(work);
  }

  /** The user has new facts: appends them in the background. */
  announce(userId: string): void {
    const under = this.flushing.get(userId);
    if (under) {
      under.again = true;
    } else if (this.flushing.size < USERS_AT_A_TIME_MAX) {
      this.flush(userId);
    }
  }

  /** What a crash left behind is appended, and sessions long expired are deleted. Also run every 30 s. */
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
      log.warn({ err: error }, 'identity could not be swept');
    }
  }

  private flush(userId: string): void {
    const entry = { work: Promise.resolve(), again: false };
    this.flushing.set(userId, entry);
    entry.work = this.appendAll(userId)
      .catch((error: unknown) =>
        this.options.log.warn({ err: error, user_id: userId }, 'security facts wait for the sweep'),
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

  /** One by one: an append that repeats only part of an earlier one is an error, one that repeats it whole is not. */
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
        // Identity's tables and the log disagree (one was restored without the other): the log's order is the one.
        expectedVersion = error.actualVersion;
      }
    }
  }
}
