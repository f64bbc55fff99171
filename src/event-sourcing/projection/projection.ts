import type { RecordedEvent } from '../core/event.js';

/** The SQL types a view may use, each with one JavaScript form. */
export type ColumnType =
  | 'uuid'
  | 'text'
  | 'boolean'
  | 'smallint'
  | 'integer'
  /** A number in JavaScript; values past 2^53 do not belong in a view. */
  | 'bigint'
  | 'double precision'
  /** A Date when read from Postgres; an ISO 8601 text is accepted when written. */
  | 'timestamptz'
  | 'jsonb'
  | 'text[]';

/**
 * A view as a fold: from the row before and an event to the row after. Pure. The same function follows the log live,
 * rebuilds the view, verifies it, and computes the row at an earlier version.
 */
export interface Projection<Row extends object = Record<string, unknown>> {
  /** In schema `read`, made by a migration. */
  readonly table: string;
  /** All of the table's columns. */
  readonly columns: { readonly [Column in keyof Row & string]: ColumnType };
  /** The primary key: one column, uuid or text. */
  readonly key: keyof Row & string;
  /** The key of the row that an event affects; null if the event does not concern this view. */
  keyOf(event: RecordedEvent): string | null;
  /** @returns the row after; null for none. The same object means that nothing changed. */
  project(row: Row | null, event: RecordedEvent): Row | null;
}

/** Checks once, at start, what the types cannot. */
export function defineProjection<Row extends object>(projection: Projection<Row>): Projection {
  const names = [projection.table, ...Object.keys(projection.columns)];
  const invalid = names.find((name) => !/^[a-z][a-z0-9_]{0,40}$/.test(name));
  if (invalid !== undefined) throw new Error(`${invalid} is not a plain SQL name`);
  return projection as unknown as Projection;
}
