import type { Pool } from 'pg';
import { z } from 'zod';

import { sqlStateOf } from '../../platform/postgres/outage.js';
import { HttpProblem } from '../problem.js';
import { text } from '../validation/text.js';
import { decodeCursor } from './cursor.js';
import { type CursorPage, type Listing, type OffsetPage, readCursorPage, readOffsetPage } from './page.js';

export const LIST_LIMIT_MAX = 100;
const LIMIT_DEFAULT = 20;
/** Higher offsets cost too much; clients use cursors instead. */
export const LIST_OFFSET_MAX = 100_000;

/** Unless the maximum has more: leading zeros are allowed. */
const DIGITS_MAX = 9;

/** A number in a query string, where every value is text. OpenAPI documents it as an integer. */
export const wholeNumber = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(new RegExp(`^\\d{1,${Math.max(DIGITS_MAX, String(maximum).length)}}$`), 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(minimum).max(maximum))
    .meta({ type: 'integer', minimum, maximum, pattern: undefined });

/** The query parameters that every list takes. */
export const listQuery = <const Fields extends readonly [string, ...string[]]>(sortFields: Fields) => ({
  limit: wholeNumber(1, LIST_LIMIT_MAX).default(LIMIT_DEFAULT).describe('Page size'),
  offset: wholeNumber(0, LIST_OFFSET_MAX).optional().describe('Number of rows to skip'),
  cursor: text({ max: 4_096 }).optional().describe('Empty for the first page, then a cursor of the last response'),
  sort_field: z.enum(sortFields).default(sortFields[0]).describe('Field to sort by'),
  sort_order: z.enum(['asc', 'desc']).default('desc').describe('Ascending or descending'),
});

export interface ListQuery {
  readonly limit: number;
  readonly offset?: number | undefined;
  readonly cursor?: string | undefined;
  readonly sort_field: string;
  readonly sort_order: 'asc' | 'desc';
}

export type Page<Row> =
  { readonly by: 'offset'; readonly page: OffsetPage<Row> } | { readonly by: 'cursor'; readonly page: CursorPage<Row> };

/** By cursor if the client sent one (empty for the first page), otherwise by offset. */
export async function readPage<Row extends { readonly id: string }>(
  pool: Pool,
  source: Pick<Listing, 'table' | 'where'>,
  query: ListQuery,
): Promise<Page<Row>> {
  const { limit, sort_field: sortField, sort_order: sortOrder } = query;
  const listing = { ...source, limit, sortField, sortOrder };
  if (query.cursor === undefined)
    return { by: 'offset', page: await readOffsetPage<Row>(pool, listing, query.offset ?? 0) };
  const cursor = query.cursor === '' ? null : decodeCursor(query.cursor, sortField, sortOrder);
  if (query.cursor !== '' && cursor === null) throw invalidCursor();
  try {
    return { by: 'cursor', page: await readCursorPage<Row>(pool, listing, cursor) };
  } catch (error) {
    // Only the cursor's value comes from the client unparsed: February 30th, a NUL in a name.
    if (DATA_EXCEPTION.test(sqlStateOf(error))) throw invalidCursor();
    throw error;
  }
}

/** PostgreSQL manual, appendix A. */
const DATA_EXCEPTION = /^22/;

const invalidCursor = () => new HttpProblem(400, 'invalid_cursor', 'Invalid cursor');

const pageSize = z.int().min(1).max(LIST_LIMIT_MAX);

/** Part of every list's description in the OpenAPI document. */
export const BY_OFFSET_OR_CURSOR =
  'By `offset`, with a total; or by `cursor`, which stays correct while rows change, at the same cost for every page.';

/** The OpenAPI schema of listResponse's two shapes. */
export const listView = <Name extends string, Item extends z.ZodType>(id: string, name: Name, item: Item) =>
  z
    .union([
      z.object({ [name]: z.array(item), total: z.int32().min(0), limit: pageSize, offset: z.int32().min(0) }),
      z.object({
        [name]: z.array(item),
        pagination: z.object({
          has_more: z.boolean(),
          next_cursor: z.string().nullable(),
          prev_cursor: z.string().nullable(),
        }),
        limit: pageSize,
        sort_field: z.string(),
        sort_order: z.enum(['asc', 'desc']),
      }),
    ])
    .meta({ id });

/** The response body; `name` is the member with the items: tasks, executions. */
export function listResponse<Row, Item>(
  name: string,
  { by, page }: Page<Row>,
  items: readonly Item[],
  query: ListQuery,
) {
  const { limit, sort_field, sort_order } = query;
  if (by === 'offset') return { [name]: items, total: page.total, limit, offset: query.offset ?? 0 };
  const pagination = { has_more: page.hasMore, next_cursor: page.nextCursor, prev_cursor: page.prevCursor };
  return { [name]: items, pagination, limit, sort_field, sort_order };
}
