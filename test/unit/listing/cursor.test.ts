import { type Cursor, decodeCursor, encodeCursor } from '../../../src/http/listing/cursor.js';

const cursor: Cursor = {
  direction: 'next',
  sortField: 'created_at',
  sortOrder: 'desc',
  value: '2026-01-02 03:04:05.678901+00',
  id: '018f0000-0000-7000-8000-000000000001',
};
const decoded = (changes: object) => {
  const { sortField, sortOrder } = { ...cursor, ...changes };
  return decodeCursor(encodeCursor({ ...cursor, ...changes }), sortField, sortOrder);
};

describe('a cursor', () => {
  test.each(['next', 'prev'] as const)('to the %s page is decoded unchanged', (direction) => {
    expect(decoded({ direction })).toEqual({ ...cursor, direction });
  });

  test('applies to its own order only', () => {
    expect(decodeCursor(encodeCursor(cursor), 'created_at', 'asc')).toBeNull();
    expect(decodeCursor(encodeCursor(cursor), 'updated_at', 'desc')).toBeNull();
  });

  test.each([
    ['not base64', '💥'],
    ['not JSON', Buffer.from('{').toString('base64url')],
    ['null', Buffer.from('null').toString('base64url')],
    ['an array', Buffer.from('[]').toString('base64url')],
    ['without a field', Buffer.from(JSON.stringify({ ...cursor, id: undefined })).toString('base64url')],
    ['with an extra field', Buffer.from(JSON.stringify({ ...cursor, more: 1 })).toString('base64url')],
    ['with an invalid id', Buffer.from(JSON.stringify({ ...cursor, id: '1' })).toString('base64url')],
    ['with a value that is not text', Buffer.from(JSON.stringify({ ...cursor, value: 1 })).toString('base64url')],
    ['empty', ''],
  ])('that is %s is invalid', (_, text) => {
    expect(decodeCursor(text, 'created_at', 'desc')).toBeNull();
  });
});

describe('a sort value', () => {
  test.each([
    '2026-01-02 03:04:05+00',
    '2026-01-02 03:04:05.6-08',
    '2026-01-02 03:04:05.678901+05:30',
    '2024-02-29 23:59:59+14',
    '1969-12-31 00:00:00+00',
  ])('of times may be %s', (value) => {
    expect(decoded({ value })).toMatchObject({ value });
  });

  test.each([
    '2026-13-01 00:00:00+00',
    '2026-00-01 00:00:00+00',
    '2026-02-30 00:00:00+00',
    '2025-02-29 00:00:00+00',
    '2026-01-00 00:00:00+00',
    '2026-01-32 00:00:00+00',
    '2026-01-01 24:00:00+00',
    '2026-01-01 00:60:00+00',
    '2026-01-01 00:00:00+99',
    '2026-01-01 00:00:00.1234567+00',
    '0000-01-01 00:00:00+00',
    '2026-01-01T00:00:00Z',
    'infinity',
    'now',
    "2026-01-01 00:00:00+00' or true",
    '',
  ])('of times cannot be %j', (value) => {
    expect(decoded({ value })).toBeNull();
  });

  test.each(['0', '5', '10', '99'])('of priorities may be %s', (value) => {
    expect(decoded({ sortField: 'priority', value })).toMatchObject({ value });
  });

  test.each(['', '-1', '1.5', '100000', '1e1', 'high'])('of priorities cannot be %j', (value) => {
    expect(decoded({ sortField: 'priority', value })).toBeNull();
  });

  test.each(['', 'a name', "'; drop table", '🚀', 'x'.repeat(1_024)])('of names may be %j', (value) => {
    expect(decoded({ sortField: 'name', value })).toMatchObject({ value });
  });

  test.each([
    ['a NUL', 'a\0b'],
    ['a lone surrogate', '\ud800'],
    ['too many characters', 'x'.repeat(1_025)],
  ])('of names cannot have %s', (_, value) => {
    expect(decoded({ sortField: 'name', value })).toBeNull();
  });
});
