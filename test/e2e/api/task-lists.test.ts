import { ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly priority: number;
}

let api: Api;
let ada: Person;
let all: Listed[];

const NAMES = ['alpha', 'bravo', 'bravo', 'charlie', 'delta', 'delta', 'delta'];

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
  all = [];
  for (const [index, name] of NAMES.entries()) {
    const script_type = index % 2 === 0 ? 'python' : 'bash';
    all.push(await ada.createTask({ name, priority: (index * 4) % 11, script_type }));
  }
  await (await api.register()).createTask({ name: 'somebody else’s' });
});
afterAll(() => api.close());

const idsOf = (listed: readonly { id: string }[]): string[] => listed.map(({ id }) => id);

/** Reads a list to its end and back. */
async function walk(query: string): Promise<{ there: string[]; back: string[] }> {
  const there: string[] = [];
  let page = await ada.ok('GET', `/tasks?${query}&cursor=`);
  expect(page.pagination.prev_cursor).toBeNull();
  for (;;) {
    there.push(...idsOf(page.tasks));
    expect(page.pagination.has_more).toBe(page.pagination.next_cursor !== null);
    if (!page.pagination.has_more) break;
    page = await ada.ok('GET', `/tasks?${query}&cursor=${page.pagination.next_cursor}`);
  }
  const back = idsOf(page.tasks);
  while (page.pagination.prev_cursor !== null) {
    page = await ada.ok('GET', `/tasks?${query}&cursor=${page.pagination.prev_cursor}`);
    back.unshift(...idsOf(page.tasks));
  }
  return { there, back };
}

test('without parameters: the newest twenty tasks, with the total', async () => {
  expect(await ok(ada.api.GET('/api/v1/tasks'))).toEqual({ tasks: all.toReversed(), total: 7, limit: 20, offset: 0 });
});

test('by offset', async () => {
  const page = await ada.ok('GET', '/tasks?limit=3&offset=5');
  expect(page).toMatchObject({ total: 7, limit: 3, offset: 5 });
  expect(idsOf(page.tasks)).toEqual(idsOf(all.toReversed().slice(5)));
  expect(await ada.ok('GET', '/tasks?offset=7')).toMatchObject({ tasks: [], total: 7, offset: 7 });
});

test('by cursor, which contains the order', async () => {
  const page = await ada.ok('GET', '/tasks?cursor=&limit=2');
  expect(page).toEqual({
    tasks: all.toReversed().slice(0, 2),
    pagination: { has_more: true, next_cursor: expect.any(String), prev_cursor: null },
    limit: 2,
    sort_field: 'created_at',
    sort_order: 'desc',
  });
});

describe.each(['created_at', 'updated_at', 'priority', 'name'])('sorted by %s', (field) => {
  test.each(['asc', 'desc'])('%s: offset and cursor return the same order, in both directions', async (order) => {
    const query = `sort_field=${field}&sort_order=${order}`;
    const { tasks } = await ada.ok<{ tasks: (Listed & Record<string, string | number>)[] }>('GET', `/tasks?${query}`);
    const values = tasks.map((task) => task[field]!);
    const rising = order === 'asc' ? values : values.toReversed();
    expect(rising).toEqual(rising.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
    expect(idsOf(tasks).toSorted()).toEqual(idsOf(all).toSorted());
    for (const limit of [1, 3, 7]) {
      expect(await walk(`${query}&limit=${limit}`)).toEqual({ there: idsOf(tasks), back: idsOf(tasks) });
    }
  });
});

test('filtered by script type and status, each alone and combined', async () => {
  const bash = all.filter((_, index) => index % 2 === 1).toReversed();
  expect(await ada.ok('GET', '/tasks?script_type=bash')).toMatchObject({ tasks: bash, total: 3 });
  expect((await walk('script_type=bash&limit=1')).there).toEqual(idsOf(bash));
  const run = await ada.start(bash[0]!.id, { executor: 'external' });
  expect(idsOf((await ada.ok('GET', '/tasks?status=running')).tasks)).toEqual([bash[0]!.id]);
  expect(await ada.ok('GET', '/tasks?status=pending&script_type=bash')).toMatchObject({ total: 2 });
  expect(await ada.ok('GET', '/tasks?status=completed')).toMatchObject({ tasks: [], total: 0 });
  await ada.cancel(run.id);
});

test('a cursor stays correct while tasks are created and deleted', async () => {
  const bob = await api.register();
  const old = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => bob.createTask({ name })));
  const query = '/tasks?sort_field=name&sort_order=asc&limit=2&cursor=';
  const first = await bob.ok('GET', query);
  await bob.createTask({ name: 'aa' });
  await ok(bob.api.DELETE('/api/v1/tasks/{id}', withId(old[1]!.id)));
  await ok(bob.api.DELETE('/api/v1/tasks/{id}', withId(old[2]!.id)));
  const late = await bob.createTask({ name: 'dd' });
  const second = await bob.ok('GET', query + first.pagination.next_cursor);
  expect(idsOf(second.tasks)).toEqual([old[3]!.id, late.id]);
  const third = await bob.ok('GET', query + second.pagination.next_cursor);
  expect(idsOf(third.tasks)).toEqual([old[4]!.id]);
  expect(third.pagination).toMatchObject({ has_more: false, next_cursor: null });
  const back = await bob.ok('GET', query + second.pagination.prev_cursor);
  expect(back.tasks.map(({ name }: Listed) => name)).toEqual(['a', 'aa']);
});

test('a cursor may contain any name', async () => {
  const bob = await api.register();
  for (const name of ['\u{1F600}'.repeat(120), '\u0001'.repeat(255), '"\\\n', ' ']) await bob.createTask({ name });
  const names: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: any = await bob.ok('GET', `/tasks?sort_field=name&limit=1&cursor=${cursor}`);
    names.push(...page.tasks.map(({ name }: Listed) => name));
    cursor = page.pagination.next_cursor;
  }
  expect(names).toHaveLength(4);
});

const forged = (value: object | string): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const cursorOf = (sortField: string, value: string, more: object = {}) =>
  forged({
    direction: 'next',
    sortField,
    sortOrder: 'desc',
    value,
    id: '0190a5d0-7b1c-7000-8000-000000000000',
    ...more,
  });

test.each([
  ['garbage', 'x', 'created_at'],
  ['no JSON', forged('{'), 'created_at'],
  ['another sort field', cursorOf('name', 'x'), 'created_at'],
  ['another order', cursorOf('name', 'x', { sortOrder: 'asc' }), 'name'],
  ['a bad id', cursorOf('name', 'x', { id: 'x' }), 'name'],
  ['an extra member', cursorOf('name', 'x', { table: 'es.events' }), 'name'],
  ['a value that is not a time', cursorOf('created_at', 'now'), 'created_at'],
  ['an invalid day', cursorOf('created_at', '2026-02-30 00:00:00+00'), 'created_at'],
  ['an invalid month', cursorOf('created_at', '2026-13-01 00:00:00+00'), 'created_at'],
  ['an invalid time zone offset', cursorOf('created_at', '2026-01-01 00:00:00+99'), 'created_at'],
  ['a name with NUL', cursorOf('name', 'a\0b'), 'name'],
  ['SQL', cursorOf('priority', "1'; drop table read.tasks"), 'priority'],
])('a cursor of %s is a 400', async (_what, cursor, sort_field) => {
  const { status, body } = await ada.send('GET', `/tasks?sort_field=${sort_field}&cursor=${cursor}`);
  expect([status, body.error]).toEqual([400, 'Invalid cursor']);
});

test.each([
  ['limit=0', 'limit', 'min'],
  ['limit=101', 'limit', 'max'],
  ['limit=-1', 'limit', 'regex'],
  ['limit=1.5', 'limit', 'regex'],
  ['limit=', 'limit', 'regex'],
  ['limit=1&limit=2', 'limit', 'type'],
  ['offset=-1', 'offset', 'regex'],
  ['offset=100001', 'offset', 'max'],
  ['sort_field=script_content', 'sort_field', 'oneof'],
  ['sort_order=up', 'sort_order', 'oneof'],
  ['status=done', 'status', 'oneof'],
  ['script_type=Ruby', 'script_type', 'regex'],
  ['owner_id=1', 'owner_id', 'unknown'],
  ['cursor=%00', 'cursor', 'unicode'],
])('?%s is a 400', async (query, field, tag) => {
  const { status, body } = await ada.send('GET', `/tasks?${query}`);
  expect(status).toBe(400);
  expect(body).toMatchObject({ error: 'Validation failed', validation_errors: [{ field, tag }] });
});

test.each(['limit=1', 'limit=100', 'offset=0', 'offset=100000'])('?%s is accepted', async (query) => {
  expect((await ada.send('GET', `/tasks?${query}`)).status).toBe(200);
});
