import { randomUUID } from 'node:crypto';

import { Api, type Person } from './support/api.js';
import { deadLetterOf } from './support/dead-letter.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

const tagAt = async (path: string): Promise<string> => (await ada.send('GET', path)).headers.get('etag')!;

/** Resources with an ETag, and a change of each. Each is new, so its tag is `"1"` or higher. */
const THINGS: Record<
  string,
  { make: () => Promise<string>; changes: Record<string, [method: string, body?: object]> }
> = {
  task: {
    make: async () => `/tasks/${(await ada.createTask()).id}`,
    changes: { updateTask: ['PUT', { name: 'changed' }], deleteTask: ['DELETE'] },
  },
  execution: {
    make: async () => `/executions/${(await ada.startExternal()).id}`,
    changes: { reportExecution: ['PUT', { status: 'completed' }], cancelExecution: ['DELETE'] },
  },
  'dead letter': {
    make: async () => `/dead-letters/${await deadLetterOf(api, ada)}`,
    changes: { discardDeadLetter: ['DELETE'] },
  },
};
const CHANGES = Object.values(THINGS).flatMap(({ make, changes }) =>
  Object.entries(changes).map(([operation, [method, body]]) => ({ operation, method, body, make })),
);

test('the document lists conditions on exactly the routes with an ETag', () => {
  const conditional = api.contract.routes.filter(({ operation: { parameters = [] } }) =>
    ['If-Match', 'If-None-Match'].every((name) => parameters.some((each) => each.name === name)),
  );
  const reads = ['getTask', 'getExecution', 'getDeadLetter', 'executionFile'];
  const expected = [...reads, ...CHANGES.map(({ operation }) => operation)];
  expect(conditional.map(({ operation }) => operation.operationId).toSorted()).toEqual(expected.toSorted());
});

describe.each(Object.entries(THINGS))('a GET of a %s', (_, { make }) => {
  test('returns 304 to clients with the current ETag, and only to them', async () => {
    const path = await make();
    const tag = await tagAt(path);
    expect(tag).toMatch(/^"\d+(-[a-z]+)?"$/);
    for (const [conditions, status] of [
      [{ 'if-none-match': tag }, 304],
      [{ 'if-none-match': `"x", W/${tag}` }, 304],
      [{ 'if-none-match': '*' }, 304],
      [{ 'if-none-match': '"999"' }, 200],
      [{ 'if-match': tag }, 200],
      [{ 'if-match': `W/${tag}` }, 412],
      [{ 'if-match': '"999"', 'if-none-match': tag }, 412],
      [{ 'if-none-match': '1' }, 400],
    ] as const) {
      for (const method of ['GET', 'HEAD']) {
        const { headers, body, ...answer } = await ada.send(method, path, undefined, { ...conditions });
        expect([method, conditions, answer.status]).toEqual([method, conditions, status]);
        if (status === 304) expect([headers.get('etag'), body]).toEqual([tag, '']);
      }
    }
    const unknown = path.replace(/[^/]+$/, randomUUID());
    expect((await ada.send('GET', unknown, undefined, { 'if-none-match': '*' })).status).toBe(404);
    const bob = await api.register();
    expect((await bob.send('GET', path, undefined, { 'if-none-match': tag })).status).toBe(403);
  });
});

describe.each(CHANGES)('$operation', ({ method, body, make }) => {
  test('is refused if a condition is false', async () => {
    const path = await make();
    const tag = await tagAt(path);
    const head = await api.head();
    for (const [conditions, status, type] of [
      [{ 'if-match': '"999"' }, 412, 'precondition_failed'],
      [{ 'if-match': '"998", "999"' }, 412, 'precondition_failed'],
      [{ 'if-match': `W/${tag}` }, 412, 'precondition_failed'],
      [{ 'if-match': '"other"' }, 412, 'precondition_failed'],
      [{ 'if-none-match': tag }, 412, 'precondition_failed'],
      [{ 'if-none-match': `"x", W/${tag}` }, 412, 'precondition_failed'],
      [{ 'if-none-match': '*' }, 412, 'precondition_failed'],
      [{ 'if-match': tag, 'if-none-match': tag }, 412, 'precondition_failed'],
      [{ 'if-match': '2' }, 400, 'invalid_if_match'],
      [{ 'if-match': '' }, 400, 'invalid_if_match'],
      [{ 'if-match': `${tag}, x` }, 400, 'invalid_if_match'],
      [{ 'if-none-match': `'1'` }, 400, 'invalid_if_none_match'],
    ] as const) {
      const answer = await ada.send(method, path, body, { ...conditions });
      const code = String(answer.body.type).split(':').at(-1);
      expect([conditions, answer.status, code]).toEqual([conditions, status, type]);
    }
    expect([await api.head(), await tagAt(path)]).toEqual([head, tag]);
  });

  test('succeeds if all conditions are true', async () => {
    for (const conditionsFor of [
      (tag: string) => ({ 'if-match': tag }),
      (tag: string) => ({ 'if-match': `"999",, ${tag} ,W/"3"` }),
      () => ({ 'if-match': '*' }),
      (tag: string) => ({ 'if-match': tag, 'if-none-match': '"999"' }),
      () => ({ 'if-none-match': 'W/"999", "x"' }),
      () => ({ 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' }),
    ]) {
      const path = await make();
      const { status } = await ada.send(method, path, body, conditionsFor(await tagAt(path)) as Record<string, string>);
      expect([conditionsFor('the tag'), status]).toEqual([conditionsFor('the tag'), 200]);
    }
  });

  test('ignores conditions for an object that does not exist or belongs to another user', async () => {
    const path = await make();
    const unknown = path.replace(/[^/]+$/, randomUUID());
    const bob = await api.register();
    const all: Record<string, string>[] = [{ 'if-match': '*' }, { 'if-match': '"999"' }, { 'if-none-match': '*' }];
    for (const conditions of all) {
      expect((await ada.send(method, unknown, body, conditions)).status).toBe(404);
      expect((await bob.send(method, path, body, conditions)).status).toBe(403);
    }
  });
});

test('only one of many concurrent changes of the same version succeeds', async () => {
  const { id } = await ada.createTask();
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, index) =>
      ada.send('PUT', `/tasks/${id}`, { name: `by ${index}` }, { 'if-match': '"1"' }),
    ),
  );
  const statuses = answers.map(({ status }) => status).toSorted();
  expect(statuses).toEqual([200, ...Array.from({ length: 7 }, () => 412)]);
});

test('a task that another client has changed is not deleted', async () => {
  const { id } = await ada.createTask();
  await ada.updateTask(id, { name: 'changed by somebody else' });
  const deletion = await ada.send('DELETE', `/tasks/${id}`, undefined, { 'if-match': '"1"' });
  expect([deletion.status, deletion.body.error]).toEqual([412, 'Task was changed in the meantime']);
  expect((await ada.send('GET', `/tasks/${id}`)).status).toBe(200);
});

test('a 304 never hides a running execution, and an execution does not change the definition', async () => {
  const { id } = await ada.createTask();
  const get = (tag: string) => ada.send('GET', `/tasks/${id}`, undefined, { 'if-none-match': tag });
  const seen = ['"1"'];
  let run = '';
  for (const step of [
    async () => (await ada.start(id, { executor: 'external' })).id,
    async (run: string) => (await ada.report(run, { status: 'completed' })).id,
  ] as ((run: string) => Promise<string>)[]) {
    run = await step(run);
    const { status, headers, body } = await get(seen.at(-1)!);
    expect([status, body.version]).toEqual([200, 1]);
    seen.push(headers.get('etag')!);
  }
  expect(seen).toEqual(['"1"', '"1-running"', '"1-completed"']);
  for (const tag of seen.slice(0, -1)) expect((await get(tag)).status).toBe(200);
  expect((await get(seen.at(-1)!)).status).toBe(304);
  const put = await ada.send('PUT', `/tasks/${id}`, { name: 'b' }, { 'if-match': seen[1]! });
  expect([put.status, put.headers.get('etag')]).toEqual([200, '"2-completed"']);
});
