import { randomUUID } from 'node:crypto';

import fc from 'fast-check';

import { decodeCursor, encodeCursor } from '../../../src/http/listing/cursor.js';
import { type ListQuery, readPage } from '../../../src/http/listing/list-query.js';
import { type CursorPage, type Listing, readCursorPage, readOffsetPage } from '../../../src/http/listing/page.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

/** Maximum of pages; far more than any test here needs. */
const PAGES_MAX = 1_000;

interface Item {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
  readonly created_at: Date;
}

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await db.ownerPool.query(`create table read.items (id uuid primary key, owner_id uuid not null, name text not null,
    priority smallint not null, created_at timestamptz not null)`);
  await db.ownerPool.query(`grant select, insert, delete on read.items to ${db.app.user}`);
});
afterAll(() => db.drop());

type NewItem = Pick<Item, 'name' | 'priority'> & { readonly createdAtUs: number };

/** An owner for each test, with a list of their own. */
class List {
  private readonly ownerId = randomUUID();

  constructor(
    private readonly sortField: string,
    private readonly sortOrder: 'asc' | 'desc',
    private readonly limit: number,
  ) {}

  get listing(): Listing {
    const { sortField, sortOrder, limit } = this;
    return { table: 'read.items', where: { owner_id: this.ownerId }, sortField, sortOrder, limit };
  }

  async insert(items: readonly NewItem[]): Promise<string[]> {
    const ids = items.map(() => randomUUID());
    await db.appPool.query(
      `insert into read.items (id, owner_id, name, priority, created_at)
       select id, $1, name, priority, 'epoch'::timestamptz + us * interval '1 microsecond'
       from unnest($2::uuid[], $3::text[], $4::smallint[], $5::bigint[]) as given (id, name, priority, us)`,
      [this.ownerId, ids, items.map(({ name }) => name), items.map((i) => i.priority), items.map((i) => i.createdAtUs)],
    );
    return ids;
  }

  async delete(ids: readonly string[]): Promise<void> {
    await db.appPool.query('delete from read.items where id = any($1)', [ids]);
  }

  page(cursor: string | null): Promise<CursorPage<Item>> {
    const decoded = cursor === null ? null : decodeCursor(cursor, this.sortField, this.sortOrder);
    if (cursor !== null && decoded === null) throw new Error('a cursor of ours is not understood');
    return readCursorPage<Item>(db.appPool, this.listing, decoded);
  }

  /** Every row, in one page. */
  async all(): Promise<string[]> {
    const { rows } = await readOffsetPage<Item>(db.appPool, { ...this.listing, limit: 10_000 }, 0);
    return rows.map(({ id }) => id);
  }

  /** From the first page to the last. */
  async walk(between: (page: number) => Promise<void> = () => Promise.resolve()): Promise<CursorPage<Item>[]> {
    const pages = [await this.page(null)];
    while (pages.at(-1)!.hasMore) {
      if (pages.length > PAGES_MAX) throw new Error('the walk does not end');
      await between(pages.length - 1);
      pages.push(await this.page(pages.at(-1)!.nextCursor));
    }
    return pages;
  }
}

const idsOf = ({ rows }: CursorPage<Item>): string[] => rows.map(({ id }) => id);

// Few distinct values, so that many rows have equal sort values; with microseconds, so that no digit may be lost.
const item: fc.Arbitrary<NewItem> = fc.record({
  name: fc.constantFrom('a', 'A', 'b', 'ä', 'z z', "o'clock", '🚀', ''),
  priority: fc.integer({ min: 0, max: 10 }),
  createdAtUs: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1_700_000_000_000_000, max: 2e15 })),
});
const items = (maxLength: number) => fc.array(item, { maxLength, size: 'max' });
const order = fc.record({
  sortField: fc.constantFrom('created_at', 'priority', 'name'),
  sortOrder: fc.constantFrom('asc' as const, 'desc' as const),
  limit: fc.integer({ min: 1, max: 7 }),
});

test('paging returns every row once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(order, items(30), async ({ sortField, sortOrder, limit }, rows) => {
      const list = new List(sortField, sortOrder, limit);
      await list.insert(rows);
      const pages = await list.walk();
      expect(pages.flatMap(idsOf)).toEqual(await list.all());
      expect(pages.slice(0, -1).every((page) => page.rows.length === limit)).toBe(true);
    }),
    { numRuns: 40 },
  );
});

test('while rows come and go, paging returns every remaining row once', async () => {
  const change = fc.record({ inserted: items(4), deleted: fc.array(fc.nat(), { maxLength: 4 }) });
  await fc.assert(
    fc.asyncProperty(
      order,
      items(30),
      fc.array(change, { maxLength: 10, size: 'max' }),
      async ({ sortField, sortOrder, limit }, rows, changes) => {
        const list = new List(sortField, sortOrder, limit);
        let staying = await list.insert(rows);
        const deleted = new Set<string>();
        const pages = await list.walk(async (page) => {
          const { inserted = [], deleted: chosen = [] } = changes[page] ?? {};
          await list.insert(inserted);
          const leaving = chosen.flatMap((n) => (staying.length === 0 ? [] : [staying[n % staying.length]!]));
          await list.delete(leaving);
          for (const id of leaving) deleted.add(id);
          staying = staying.filter((id) => !deleted.has(id));
        });
        const met = pages.flatMap(idsOf);
        expect(new Set(met).size).toBe(met.length);
        expect(staying.filter((id) => !met.includes(id))).toEqual([]);
        const now = await list.all();
        const left = met.filter((id) => now.includes(id));
        expect(left).toEqual(now.filter((id) => met.includes(id)));
      },
    ),
    { numRuns: 40 },
  );
});

test('paging backwards returns the same pages', async () => {
  await fc.assert(
    fc.asyncProperty(order, items(30), async ({ sortField, sortOrder, limit }, rows) => {
      const list = new List(sortField, sortOrder, limit);
      await list.insert(rows);
      const onwards = await list.walk();
      const back = [onwards.at(-1)!];
      while (back[0]!.prevCursor !== null) back.unshift(await list.page(back[0]!.prevCursor));
      expect(back.map(idsOf)).toEqual(onwards.map(idsOf));
      const again = [back[0]!];
      while (again.at(-1)!.nextCursor !== null) again.push(await list.page(again.at(-1)!.nextCursor));
      expect(again.map(idsOf)).toEqual(onwards.map(idsOf));
    }),
    { numRuns: 40 },
  );
});

test('every forged cursor that is accepted is valid in Postgres', async () => {
  const two = fc.integer({ min: 0, max: 99 }).map((n) => String(n).padStart(2, '0'));
  const year = fc.integer({ min: 0, max: 9_999 }).map((n) => String(n).padStart(4, '0'));
  const forged = fc
    .tuple(year, fc.array(two, { minLength: 6, maxLength: 6 }), fc.constantFrom('+', '-'))
    .map(([y, [month, day, hour, minute, second, zone], sign]) => {
      return `${y}-${month}-${day} ${hour}:${minute}:${second}${sign}${zone}`;
    });
  const near = fc
    .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 28, max: 32 }))
    .map(([month, day]) => `2026-${String(month).padStart(2, '0')}-${day} 00:00:00+00`);
  const names = fc.string({ unit: 'binary', maxLength: 4 });
  const value = fc.oneof(
    fc.record({ sortField: fc.constant('created_at'), value: fc.oneof(forged, near) }),
    fc.record({ sortField: fc.constant('name'), value: fc.oneof(names, fc.constantFrom('\0', '\ud800')) }),
    fc.record({ sortField: fc.constant('priority'), value: two }),
  );
  await fc.assert(
    fc.asyncProperty(value, async ({ sortField, value: text }) => {
      const forgery = { direction: 'next', sortField, sortOrder: 'asc', value: text, id: randomUUID() } as const;
      const cursor = decodeCursor(encodeCursor(forgery), sortField, 'asc');
      if (cursor === null) return;
      const { rows } = await readCursorPage(db.appPool, new List(sortField, 'asc', 1).listing, cursor);
      expect(rows).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

describe('edge cases', () => {
  const three = [1, 2, 3].map((createdAtUs) => ({ name: 'a', priority: 5, createdAtUs }));

  test('an empty list has one empty page', async () => {
    const [page, ...more] = await new List('created_at', 'asc', 2).walk();
    expect(page).toEqual({ rows: [], hasMore: false, nextCursor: null, prevCursor: null });
    expect(more).toEqual([]);
  });

  test('a full last page has no next page', async () => {
    const list = new List('created_at', 'asc', 3);
    await list.insert(three);
    expect(await list.walk()).toHaveLength(1);
  });

  test('the first page has no previous page', async () => {
    const list = new List('created_at', 'asc', 2);
    await list.insert(three);
    const [first, second] = await list.walk();
    expect(first!.prevCursor).toBeNull();
    expect((await list.page(second!.prevCursor)).prevCursor).toBeNull();
  });

  test('a previous page whose rows are all gone is empty, and no page claims more rows without a cursor', async () => {
    const list = new List('created_at', 'asc', 2);
    const ids = await list.insert(three);
    const [, second] = await list.walk();
    await list.delete(ids);
    const none = { rows: [], hasMore: false, nextCursor: null, prevCursor: null };
    expect(await list.page(second!.prevCursor)).toEqual(none);
  });
});

describe('a query', () => {
  const query = (changes: Partial<ListQuery>): ListQuery => ({
    limit: 2,
    sort_field: 'created_at',
    sort_order: 'asc',
    ...changes,
  });
  let list: List;
  let ids: string[];
  beforeAll(async () => {
    list = new List('created_at', 'asc', 2);
    ids = await list.insert([1, 2, 3].map((createdAtUs) => ({ name: 'a', priority: 5, createdAtUs })));
  });
  const read = (changes: Partial<ListQuery>) => readPage<Item>(db.appPool, list.listing, query(changes));

  test('without a cursor uses the offset, with the total', async () => {
    expect(await read({ offset: 2 })).toMatchObject({ by: 'offset', page: { rows: [{ id: ids[2] }], total: 3 } });
  });

  test('beyond the end returns no rows, and the total', async () => {
    expect(await read({ offset: 99 })).toMatchObject({ page: { rows: [], total: 3 } });
  });

  test('with an empty cursor starts at the first page', async () => {
    const first = await read({ cursor: '' });
    expect(first).toMatchObject({ by: 'cursor', page: { hasMore: true } });
    const { nextCursor } = first.page as CursorPage<Item>;
    expect(await read({ cursor: nextCursor! })).toMatchObject({ page: { rows: [{ id: ids[2] }], hasMore: false } });
  });

  test.each(['nonsense', Buffer.from('{}').toString('base64url')])('with the cursor %j is refused', async (cursor) => {
    await expect(read({ cursor })).rejects.toMatchObject({ status: 400, code: 'invalid_cursor' });
  });
});
