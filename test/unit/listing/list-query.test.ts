import { z } from 'zod';

import { listResponse, listQuery } from '../../../src/http/listing/list-query.js';

const query = z.strictObject(listQuery(['created_at', 'name']));

describe('a list’s query', () => {
  test('has defaults for everything', () => {
    expect(query.parse({})).toEqual({ limit: 20, sort_field: 'created_at', sort_order: 'desc' });
  });

  test('is text, as in the URL', () => {
    const given = { limit: '100', offset: '40', sort_field: 'name', sort_order: 'asc', cursor: '' };
    expect(query.parse(given)).toEqual({ ...given, limit: 100, offset: 40 });
  });

  test.each([
    ['limit', '0'],
    ['limit', '101'],
    ['limit', '1.5'],
    ['limit', '-1'],
    ['limit', '1e1'],
    ['limit', ''],
    ['limit', '9'.repeat(400)],
    ['offset', '-1'],
    ['offset', '100001'],
    ['sort_field', 'password'],
    ['sort_order', 'up'],
    ['cursor', 'x'.repeat(4_097)],
    ['page', '1'],
  ])('cannot have a %s of %j', (name, value) => {
    expect(query.safeParse({ [name]: value }).success).toBe(false);
  });

  test('accepts a parameter once', () => {
    expect(query.safeParse({ limit: ['1', '2'] }).success).toBe(false);
  });
});

describe('a list’s response', () => {
  const asked = query.parse({ limit: '2' });

  test('by offset has the total', () => {
    const page = { by: 'offset', page: { rows: [1, 2], total: 5 } } as const;
    expect(listResponse('tasks', page, ['a', 'b'], asked)).toEqual({
      tasks: ['a', 'b'],
      total: 5,
      limit: 2,
      offset: 0,
    });
  });

  test('by cursor has the next and previous cursors', () => {
    const page = { by: 'cursor', page: { rows: [1], hasMore: true, nextCursor: 'on', prevCursor: null } } as const;
    expect(listResponse('tasks', page, ['a'], asked)).toEqual({
      tasks: ['a'],
      pagination: { has_more: true, next_cursor: 'on', prev_cursor: null },
      limit: 2,
      sort_field: 'created_at',
      sort_order: 'desc',
    });
  });
});
