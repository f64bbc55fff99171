import { z } from 'zod';

import { isStorableText } from '../../kernel/json.js';

const cursorShape = z.strictObject({
  direction: z.enum(['next', 'prev']),
  sortField: z.string().max(64),
  sortOrder: z.enum(['asc', 'desc']),
  value: z.string().max(1_024),
  id: z.uuid(),
});

/** The row that a page ends at. Opaque to clients, validated on receipt, and used only as a query parameter. */
export type Cursor = z.output<typeof cursorShape>;

export const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify(cursor), 'utf8').toString('base64url');

/** @returns null if encodeCursor did not create the text for this order */
export function decodeCursor(text: string, sortField: string, sortOrder: 'asc' | 'desc'): Cursor | null {
  try {
    const cursor = cursorShape.parse(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')));
    return cursor.sortField === sortField && cursor.sortOrder === sortOrder && isSortValue(sortField, cursor.value)
      ? cursor
      : null;
  } catch {
    return null;
  }
}

/** A forged value that Postgres cannot convert must not reach it: the client would get a 500. */
function isSortValue(sortField: string, value: string): boolean {
  if (sortField.endsWith('_at')) return isTimestamp(value);
  if (sortField === 'priority') return /^\d{1,2}$/.test(value);
  return isStorableText(value);
}

/** As Postgres prints a timestamp (DateStyle ISO), in any session time zone. */
const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d) ([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,6})?[+-](0\d|1[0-4])(:[0-5]\d)?$/;

function isTimestamp(value: string): boolean {
  const [, year, month, day] = TIMESTAMP.exec(value) ?? [];
  if (year === undefined || year === '0000') return false;
  // A day that its month does not have becomes a day of the next month.
  const date = new Date(`${year}-${month}-01T00:00:00Z`);
  date.setUTCDate(Number(day));
  return Number(day) > 0 && date.getUTCMonth() + 1 === Number(month);
}
