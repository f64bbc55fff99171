import type { Pool } from 'pg';

import { type Cursor, encodeCursor } from './cursor.js';

/** Which rows of a view, in which order. Field names are constants in the code, never text from a client. */
export interface Listing {
  readonly table: string;
  /** Column and value of every filter; a filter with an undefined value is ignored. */
  readonly where: Readonly<Record<string, string | boolean | undefined>>;
  readonly sortField: string;
  readonly sortOrder: 'asc' | 'desc';
  readonly limit: number;
}

export interface OffsetPage<Row> {
  readonly rows: readonly Row[];
  readonly total: number;
}

export interface CursorPage<Row> {
  readonly rows: readonly Row[];
  readonly hasMore: boolean;
  readonly nextCursor: string | null;
  readonly prevCursor: string | null;
}

/** Pagination by offset, with a total. Its cost grows with the offset. */
export async function readOffsetPage<Row>(pool: Pool, listing: Listing, offset: number): Promise<OffsetPage<Row>> {
  const { clause, values } = whereOf(listing);
  const { table, limit } = listing;
  const [page, count] = await Promise.all([
    pool.query(
      `select * from ${table} ${clause} order by ${orderOf(listing)} limit $${values.length + 1} offset $${values.length + 2}`,
      [...values, limit, offset],
    ),
    pool.query(`select count(*)::int as total from ${table} ${clause}`, values),
  ]);
  return { rows: page.rows as Row[], total: (count.rows[0] as { total: number }).total };
}

/** Keyset pagination: correct while rows are added and removed, and page 1,000 costs the same as page 1. */
export async function readCursorPage<Row extends { readonly id: string }>(
  pool: Pool,
  listing: Listing,
  cursor: Cursor | null,
): Promise<CursorPage<Row>> {
  const backwards = cursor?.direction === 'prev';
  const { clause, values } = whereOf(listing, cursor);
  const order = orderOf(listing, backwards);
  const { rows } = await pool.query(
    `select *, ${listing.sortField}::text as cursor_value from ${listing.table} ${clause} order by ${order} limit $${values.length + 1}`,
    [...values, listing.limit + 1],
  );
  const found = rows.slice(0, listing.limit) as (Row & { cursor_value: string })[];
  const more = rows.length > listing.limit;
  if (backwards) found.reverse();
  const edge = (row: (Row & { cursor_value: string }) | undefined, direction: Cursor['direction']): string | null => {
    if (row === undefined) return null;
    const { sortField, sortOrder } = listing;
    return encodeCursor({ direction, sortField, sortOrder, value: row.cursor_value, id: row.id });
  };
  const hasNext = backwards ? true : more;
  const hasPrev = backwards ? more : cursor !== null;
  const nextCursor = hasNext ? edge(found.at(-1), 'next') : null;
  return {
    rows: found,
    hasMore: nextCursor !== null,
    nextCursor,
    prevCursor: hasPrev ? edge(found[0], 'prev') : null,
  };
}

function orderOf({ sortField, sortOrder }: Listing, reversed = false): string {
  const order = (sortOrder === 'asc') === reversed ? 'desc' : 'asc';
  return `${sortField} ${order}, id ${order}`;
}

function whereOf(listing: Listing, cursor: Cursor | null = null): { clause: string; values: unknown[] } {
  const values: unknown[] = [];
  const terms = Object.entries(listing.where)
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => `${column} = $${values.push(value)}`);
  if (cursor !== null) {
    const ascending = (listing.sortOrder === 'asc') === (cursor.direction === 'next');
    const { sortField } = listing;
    const value = `$${values.push(cursor.value)}::text::${sortTypeOf(sortField)}`;
    terms.push(`(${sortField}, id) ${ascending ? '>' : '<'} (${value}, $${values.push(cursor.id)}::uuid)`);
  }
  return { clause: terms.length === 0 ? '' : `where ${terms.join(' and ')}`, values };
}

const SORT_TYPES: Readonly<Record<string, string>> = {
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  priority: 'smallint',
  name: 'text',
};

function sortTypeOf(field: string): string {
  const type = SORT_TYPES[field];
  if (type === undefined) throw new Error(`no cursor for sort field ${field}`);
  return type;
}
