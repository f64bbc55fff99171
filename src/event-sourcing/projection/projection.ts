import type { RecordedEvent } from '../core/event.js';

/** The SQL types a view may use, each with one JavaScript form. */
export type ColumnType =
  | 'uuid'
  | 'text'
  | 'boolean'
  | 'smallint'
  | 'integer'
  /** A number in JavaScript; what is past 2^53 does not belong in a view. */
  | 'bigint'
  | 'double precision'
  /** A Date as it comes from Postgres; an ISO 8601 text is as good on the way there. */
  | 'timestamptz'
  | 'jsonb'
  | 'text[]';

/**
 * A view as a fold: the row before, an event, the row after. Pure. It is the same function that follows the log live,
 * rebuilds the view, verifies it, and answers what a row was at some version.
 */
export interface Projection<Row extends object = Record<string, unknown>> {
  /** In schema `read`, made by a migration. */
  readonly table: string;
  /** All of the table's columns. */
  readonly columns: { readonly [Column in keyof Row & string]: ColumnType };
  /** The primary key: one column, uuid or text. */
  readonly key: keyof Row & string;
  /** The row that an event is about; null for an event that is none of this view's business. */
  keyOf(event: RecordedEvent): string | null;
  /** @returns the row after; null for none. The very same object says that nothing changed. */
  project(row: Row | null, event: RecordedEvent): Row | null;
}

/** Checks what the types cannot, once, at start. */
export function defineProjection<Row extends object>(projection: Projection<Row>): Projection {
  const names = [projection.table, ...Object.keys(projection.columns)];
  const odd = names.find((name) => !/^[a-z][a-z0-9_]{0,40}$/.test(name));
  if (odd !== undefined) throw new Error(`${odd} is not a plain name for SQL`);
  return projection as unknown as Projection;
}
