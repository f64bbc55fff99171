import { DomainError, Unavailable, VersionConflict } from '../../kernel/errors.js';
import { delay } from '../../platform/async/delay.js';
import { asUnavailable, isAmbiguous, isOutage, sqlStateOf } from '../../platform/postgres/outage.js';
import type { PostgresOptions } from '../../platform/postgres/pool.js';
import type { AppendResult } from '../core/event-store.js';
import { AppendConnection } from './append-connection.js';
import {
  APPEND,
  APPEND_EVENT,
  appendParameters,
  appendRow,
  type AppendRow,
  NOTIFY,
  RECALL,
  recallParameters,
  type Refusal,
} from './append-statements.js';
import type { EncodedAppend, EncodedEvent, EncodedWrite } from './encoded-append.js';
import { RecordedVersions } from './recorded-versions.js';

/** How long an append waits for the lock of the log before that counts as an outage. */
export const LOCK_TIMEOUT_MS = 5_000;
/** An append that takes longer means that the server is in trouble. */
const STATEMENT_TIMEOUT_MS = 10_000;
/** After a connection is lost during an append: the same append and ids. The pauses are about 50 and 250 ms. */
export const APPEND_ATTEMPTS_MAX = 3;
const RETRY_PAUSE_MS = 50;
const RETRY_PAUSE_FACTOR = 5;

/**
 * A plan made for the empty table must serve a large one, so sequential scans are off. That makes costs look enormous,
 * which would start the JIT compiler (60 ms a call), so it is off. Arrays of any length share one plan. These are
 * session settings: as settings of the functions they are set and reset by each call, 6 % of a short one.
 */
const PLANS_FOR_ANY_SIZE = { enable_seqscan: 'off', jit: 'off', plan_cache_mode: 'force_generic_plan' };

/** SQLSTATE classes of errors in the data itself: data exception, constraint, too complex. */
const DATA_ERROR = /^(22|23|54)...$/;

interface Accepted {
  readonly result: AppendResult;
  /** Since 1970; null for an append that was recorded before. */
  readonly recordedMs: bigint | null;
}

/** The outcome of one append of a batch. */
export type AppendOutcome = Accepted | { readonly error: unknown };

/** Where and when a batch was recorded. */
type Recorded = Pick<AppendRow, 'recorded_ms'> & { readonly previous_position: bigint };

/** Calls es.append, one autocommit call per batch, on its own connection: no caller's transaction holds the lock. */
export class AppendWriter {
  private readonly connection: AppendConnection;
  private readonly recorded = new RecordedVersions();

  /** @param onLost called when the append connection is abandoned */
  constructor(postgres: PostgresOptions, onLost: () => void) {
    const options = {
      ...postgres,
      applicationName: `${postgres.applicationName} append`,
      lockTimeoutMs: LOCK_TIMEOUT_MS,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      settings: PLANS_FOR_ANY_SIZE,
    };
    this.connection = new AppendConnection(options, () => {
      this.recorded.forget();
      onLost();
    });
  }

  close(): Promise<void> {
    return this.connection.close();
  }

  /**
   * NOTIFY in its own transaction: inside the append it takes a lock at commit and made the append four times slower.
   * It uses the append connection, where it runs while the next append is built: waking another backend for it cost a
   * single caller 3 to 7 % of all appends.
   */
  async notify(channel: string, payload: string): Promise<void> {
    await this.connection.call(NOTIFY, [channel, payload]);
  }

  /**
   * If the connection breaks during a call, it is unknown whether the append was recorded. The event ids decide that,
   * so the append is simply repeated. If the first call still runs on the server, the repeat waits for it at the lock.
   * @returns the outcomes, in the order of the batch. Never rejects.
   */
  async write(batch: readonly EncodedAppend[]): Promise<readonly AppendOutcome[]> {
    for (let attempt = 1, pauseMs = RETRY_PAUSE_MS; ; attempt += 1, pauseMs *= RETRY_PAUSE_FACTOR) {
      try {
        const recorded = attempt === 1 ? await this.writeQuickly(batch) : null;
        return recorded ?? (await this.writeCarefully(batch, { retried: attempt > 1 }));
      } catch (error) {
        if (!isAmbiguous(error)) return this.explain(batch, error);
        if (attempt === APPEND_ATTEMPTS_MAX) {
          return allFailed(
            batch,
            new Unavailable('postgres', 'the Postgres connection broke during an append', { cause: error }),
          );
        }
      }
      await delay(pauseMs);
    }
  }

  private async explain(batch: readonly EncodedAppend[], error: unknown): Promise<readonly AppendOutcome[]> {
    if (isOutage(error)) return allFailed(batch, asUnavailable(error));
    if (batch.length === 1) return allFailed(batch, asDomainError(error));
    // Postgres refused something in the batch, and recorded nothing of it.
    return this.writeOneByOne(batch);
  }

  private async writeOneByOne(batch: readonly EncodedAppend[]): Promise<AppendOutcome[]> {
    const outcomes: AppendOutcome[] = [];
    for (const append of batch) outcomes.push(...(await this.write([append])));
    return outcomes;
  }

  /** Relies on the unique indexes instead of extra checks. @returns null if that fails: nothing was recorded */
  private async writeQuickly(batch: readonly EncodedAppend[]): Promise<AppendOutcome[] | null> {
    const [append, ...others] = batch;
    const isOneEvent = append?.events.length === 1 && others.length === 0;
    const recorded = isOneEvent ? await this.callWithOne(append.events[0]!) : asRecorded(await this.call(batch));
    if (recorded === null) return null;
    let position = recorded.previous_position;
    return batch.map((one) => {
      const outcome = this.accepted(one, position, recorded);
      position = outcome.result.lastPosition;
      return outcome;
    });
  }

  /** Accepted appends follow the position before the batch, one after the other. */
  private async writeCarefully(
    batch: readonly EncodedAppend[],
    { retried }: { retried: boolean },
  ): Promise<AppendOutcome[]> {
    const row = await this.call(batch, { careful: true });
    const recorded = asRecorded(row);
    if (recorded === null) {
      if (batch.length === 1) throw new Error('es.append recorded nothing, and refused nothing');
      // One event id occurs in two of them, for example from two requests with one Idempotency-Key.
      return this.writeOneByOne(batch);
    }
    // An append may be refused for several of its streams; the first one is reported.
    const refusals = new Map(row.refused?.toReversed().map((refusal) => [refusal.append, refusal]));
    const outcomes: AppendOutcome[] = [];
    let position = recorded.previous_position;
    for (const [index, append] of batch.entries()) {
      const refusal = refusals.get(index);
      if (refusal) {
        outcomes.push(refusal.repeated ? await this.recall(append, retried) : { error: conflict(append, refusal) });
        continue;
      }
      const outcome = this.accepted(append, position, recorded);
      outcomes.push(outcome);
      position = outcome.result.lastPosition;
    }
    return outcomes;
  }

  private accepted({ events }: EncodedAppend, previousPosition: bigint, { recorded_ms }: Recorded): Accepted {
    for (const { stream, version } of events) this.recorded.add(stream.id, version);
    const lastPosition = previousPosition + BigInt(events.length);
    return {
      result: { firstPosition: previousPosition + 1n, lastPosition, recordedNow: true },
      recordedMs: recorded_ms,
    };
  }

  private async call(batch: readonly EncodedAppend[], { careful } = { careful: false }): Promise<AppendRow> {
    const isCertain = ({ streamId, expectedVersion }: EncodedWrite): boolean =>
      !careful && this.recorded.hasReached(streamId, expectedVersion);
    return appendRow(await this.connection.call(APPEND, appendParameters(batch, careful, isCertain)));
  }

  /** @returns null if the version does not hold, or the id of the event was recorded before */
  private async callWithOne(event: EncodedEvent): Promise<Recorded | null> {
    const { stream, version, eventId, type, schemaVersion, data, metadata } = event;
    const isCertain = this.recorded.hasReached(stream.id, version - 1);
    const values = [isCertain, stream.type, stream.id, version, eventId, type, schemaVersion, data, metadata];
    const [recorded] = await this.connection.call(APPEND_EVENT, values);
    const [position, ms] = recorded?.split(' ') ?? [];
    return position && ms ? { previous_position: BigInt(position) - 1n, recorded_ms: BigInt(ms) } : null;
  }

  /**
   * The first result of an append whose event ids were recorded before: all of them, at contiguous positions, with the
   * same content.
   */
  private async recall(append: EncodedAppend, recordedByRetry: boolean): Promise<AppendOutcome> {
    try {
      const statement = { text: RECALL, values: recallParameters(append) };
      const { rows } = await this.connection.query<{ position: bigint | null; same: boolean }>(statement);
      const first = rows[0]?.position ?? 0n;
      const isRepeat = rows.every(({ position, same }, index) => same && position === first + BigInt(index));
      if (!isRepeat) {
        return { error: new DomainError('event_id_reused', 'an event id was recorded before, in a different append') };
      }
      const lastPosition = first + BigInt(rows.length - 1);
      return { result: { firstPosition: first, lastPosition, recordedNow: recordedByRetry }, recordedMs: null };
    } catch (error) {
      // The rest of the batch is recorded: only this append fails.
      return { error: asUnavailable(error) };
    }
  }
}

const asRecorded = ({ previous_position, recorded_ms }: AppendRow): Recorded | null =>
  previous_position === null ? null : { previous_position, recorded_ms };

const allFailed = (batch: readonly EncodedAppend[], error: unknown): AppendOutcome[] => batch.map(() => ({ error }));

function conflict({ writes }: EncodedAppend, refusal: Refusal): VersionConflict {
  const expected = writes.find(({ streamId }) => streamId === refusal.stream_id)?.expectedVersion ?? 0;
  return new VersionConflict(refusal.stream_id, expected, refusal.version);
}

function asDomainError(error: unknown): Error {
  if (!DATA_ERROR.test(sqlStateOf(error))) return error as Error;
  return new DomainError('event_not_storable', 'Postgres cannot store an event of this append', 'invalid', {
    sqlstate: sqlStateOf(error),
  });
}
