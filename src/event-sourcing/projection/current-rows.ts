import type { Pool } from 'pg';

import { batched, inOrderOf } from '../../platform/postgres/batched.js';
import { BinaryArray, uuid } from '../../platform/postgres/binary-array.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { EventStore } from '../core/event-store.js';
import type { RecordedEvent, StreamRef, StreamType } from '../core/event.js';
import { PoisonEvent } from '../core/stored-event.js';
import type { Projection } from './projection.js';

/** A row that has the id of its stream, and the version of the last event folded into it. */
export interface VersionedRow {
  readonly id: string;
  readonly version: number;
}

export interface CurrentRowsOptions<Row> {
  readonly pool: Pick<Pool, 'query'>;
  readonly store: Pick<EventStore, 'readStream'>;
  /** Of the columns, those that the rows should have. */
  readonly projection: Pick<Projection, 'table' | 'columns'>;
  /** Of the prepared statement: another one for other columns. */
  readonly statement?: string;
  readonly streamType: StreamType;
  /** The projection's own fold. */
  readonly project: (row: Row | null, event: RecordedEvent) => Row | null;
  /** Event types that remove the row: after one of them, a missing row is correct. */
  readonly removedBy?: readonly string[];
}

/** The result of one statement for an id: the row of the view, and the end of the stream. */
export interface Observation<Row> {
  readonly id: string;
  readonly row: Row | null;
  /** The newest event of the stream; null if the stream has none. The type is read only if the row is not current. */
  readonly head: { readonly version: number; readonly type: string | null } | null;
}

/** A row, and the position of its last event if the view does not hold it yet. */
export interface CurrentRow<Row> {
  readonly row: Row | null;
  readonly aheadOfView: bigint | null;
}

type Found<Row> = Row & { readonly head_version: number | null; readonly head_type: string | null };

/**
 * Single rows of a view that never lag behind the log. One statement reads the row and the version of the head of its
 * stream. If the row is behind (the projector is down, fails over or has parked the stream), the function of the
 * projection folds the missing events on top of it. So a reader in any process sees every acknowledged write, and no
 * state older than one it has seen before.
 */
export class CurrentRows<Row extends VersionedRow> {
  private readonly statement: { readonly name: string; readonly text: string };
  private readonly removedBy: ReadonlySet<string>;
  private readonly lookUp: (id: string) => Promise<Observation<Row> | null>;

  constructor(private readonly options: CurrentRowsOptions<Row>) {
    const { projection, statement = `${projection.table}_current`, removedBy = [] } = options;
    this.removedBy = new Set(removedBy);
    this.statement = { name: statement, text: observing(projection) };
    this.lookUp = batched(async (ids) => inOrderOf(ids, await this.observe(ids), ({ id }) => id));
  }

  /** @returns null if there is none. @throws Unavailable */
  async find(id: string): Promise<Row | null> {
    const observation = await this.lookUp(id);
    return observation && (await this.complete(observation)).row;
  }

  /** The view and the log for these ids, as one statement sees them, without folding. @throws Unavailable */
  async observe(ids: readonly string[]): Promise<readonly Observation<Row>[]> {
    const values = [new BinaryArray(uuid, ids)];
    const { rows } = await reportingOutages(() => this.options.pool.query<Found<Row>>({ ...this.statement, values }));
    return rows.map(({ head_version, head_type, ...row }) => ({
      id: row.id,
      // For an id without a row, the left join returns nulls.
      row: (row.version as number | null) === null ? null : (row as unknown as Row),
      head: head_version === null ? null : { version: head_version, type: head_type },
    }));
  }

  /** The row at the head of the stream. @throws Unavailable */
  async complete({ id, row, head }: Observation<Row>): Promise<CurrentRow<Row>> {
    const isCurrent = row ? row.version === head?.version : head === null || this.removedBy.has(head.type ?? '');
    return isCurrent ? { row, aheadOfView: null } : this.fold(id, row);
  }

  /**
   * An event that cannot be read or applied ends the fold, as it parks the stream for the projector: the object is
   * shown as it was before. If nothing at all could be folded, that is an error: the object exists.
   */
  private async fold(id: string, row: Row | null): Promise<CurrentRow<Row>> {
    const { events, poison } = await this.eventsAfter({ type: this.options.streamType, id }, row?.version ?? 0);
    let folded = row;
    let failure: Error | null = poison;
    let aheadOfView: bigint | null = null;
    for (const event of events) {
      try {
        folded = this.options.project(folded, event);
        aheadOfView = event.position;
      } catch (error) {
        failure = error as Error;
        break;
      }
    }
    if (failure !== null && folded === null) throw failure;
    return { row: folded, aheadOfView };
  }

  /** Up to the first event that cannot be read. */
  private async eventsAfter(
    stream: StreamRef,
    afterVersion: number,
  ): Promise<{ events: readonly RecordedEvent[]; poison: PoisonEvent | null }> {
    const { store } = this.options;
    try {
      return { events: await store.readStream(stream, { afterVersion }), poison: null };
    } catch (error) {
      if (!(error instanceof PoisonEvent)) throw error;
      const limit = error.event.version - afterVersion - 1;
      const events = limit > 0 ? await store.readStream(stream, { afterVersion, limit }) : [];
      return { events, poison: error };
    }
  }
}

/**
 * The version of the head is one index probe. Its type costs a row of the log, so it is read only if the row of the
 * view is missing or behind. The statement is prepared by name and lists its columns: otherwise a column that a
 * migration adds would change the result type of a prepared statement, which Postgres refuses.
 */
function observing({ table, columns }: Pick<Projection, 'table' | 'columns'>): string {
  const others = Object.keys(columns).filter((column) => column !== 'id');
  return `
    select wanted.id, ${others.map((column) => `r.${column}`).join(', ')}, head.version as head_version,
      case when r.version is distinct from head.version then (
        select type from es.events e where e.stream_id = wanted.id and e.version = head.version) end as head_type
    from unnest($1::uuid[]) as wanted (id)
      cross join lateral (select max(version) as version from es.events e where e.stream_id = wanted.id) as head
      left join read.${table} r on r.id = wanted.id`;
}
