import { randomUUID } from 'node:crypto';

import { Api, aTask, type Person } from './support/api.js';
import { corrupted, isFine, refusalOf } from './support/bad-input.js';

let api: Api;
let ada: Person;
let taskId: string;
let runId: string;
let webhookId: string;
let head: bigint;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
  const run = await ada.startExternal({ max_parallel: 2 });
  [taskId, runId] = [run.task_id, run.id];
  webhookId = (await ada.ok('POST', '/webhooks', { url: 'https://example.com' })).id;
});
beforeEach(async () => {
  head = await api.head();
});
// A refused command records no event.
afterEach(async () => expect(await api.head()).toBe(head));
afterAll(() => api.close());

const A_TASK = {
  ...aTask,
  description: 'text',
  priority: 1,
  metadata: { key: 'value', list: ['item', { inner: 'text' }] },
  retry: { retry_on: ['timeout'] },
};
const AN_INPUT = {
  stdin: 'in',
  args: ['a'],
  env: { NAME: 'value' },
  files: [{ path: 'p', content: 'c', encoding: 'utf8' }],
};

/** Every route with a body and a known caller, with a valid body. */
const ROUTES: [string, string, object][] = [
  ['POST', '/tasks', A_TASK],
  ['PUT', '/tasks/{task}', A_TASK],
  ['POST', '/tasks/{task}/executions', { input: AN_INPUT, executor: 'external' }],
  ['PUT', '/executions/{run}', { status: 'failed', stdout: 'out', stderr: 'err' }],
];

const raw = async (method: string, path: string, body: string | Buffer<ArrayBuffer>, type = 'application/json') => {
  const headers = { authorization: `Bearer ${ada.token}`, 'content-type': type };
  const answer = await fetch(`${api.service.url}/api/v1${path}`, { method, headers, body });
  return [answer.status, ((await answer.json()) as { error: string }).error];
};

describe.each(ROUTES)('%s %s', (method, template, good) => {
  const path = () => template.replace('{task}', taskId).replace('{run}', runId);

  test.each([
    ['cut short', JSON.stringify({ name: 'x' }).slice(0, -1), 'Malformed JSON'],
    ['not JSON', 'name=x', 'Malformed JSON'],
    ['two documents', '{}{}', 'Malformed JSON'],
    ['NaN', '{"priority":NaN}', 'Malformed JSON'],
    ['a prototype', '{"__proto__":{"isAdmin":true}}', 'Validation failed'],
    ['a constructor', '{"constructor":{"prototype":{"isAdmin":true}}}', 'Validation failed'],
    ['a prototype, escaped', String.raw`{"\u005f_proto__":{"isAdmin":true}}`, 'Validation failed'],
    ['one field twice', '{"name":"a","name":"b"}', 'Validation failed'],
    ['null', 'null', 'Validation failed'],
    ['an array', '[]', 'Validation failed'],
    ['text', '"text"', 'Validation failed'],
    ['a number', '1e400', 'Validation failed'],
    ['an unknown field', '{"user_id":"x"}', 'Validation failed'],
    ['excessive nesting', `${'{"metadata":'.repeat(5_000)}1${'}'.repeat(5_000)}`, 'Validation failed'],
  ])('a body that is %s is a 400', async (_what, body, error) => {
    expect(await raw(method, path(), body)).toEqual([400, error]);
  });

  test('a body that is not UTF-8 is a 400', async () => {
    const latin1 = Buffer.from(JSON.stringify(good).replace('text', 'tüxt'), 'latin1');
    const bytes = Buffer.concat([latin1.subarray(0, -1), Buffer.from(',"x":"\xff"}', 'latin1')]);
    expect(await raw(method, path(), bytes)).toEqual([400, 'Request body is not UTF-8']);
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/xml'])(
    'a body of %s is a 415',
    async (type) => {
      expect(await raw(method, path(), 'x', type)).toEqual([415, 'Unsupported media type']);
    },
  );

  test('NUL and lone surrogates are refused in every string and every name', async () => {
    // A program's input and output are stored as bytes, so NUL is allowed there.
    const isFineNul = (body: unknown) => /"(stdin|content|stdout|stderr)":"\w+\\u0000"/.test(JSON.stringify(body));
    const bodies = ['\0', '\ud800', '\udfff'].flatMap((bad) => corrupted(good, bad)).filter((body) => !isFineNul(body));
    expect(bodies.length).toBeGreaterThan(6);
    for (const body of bodies) {
      const [status, error] = await refusalOf(ada, { method, path: path(), body });
      expect([JSON.stringify(body), status, error]).toEqual([
        JSON.stringify(body),
        400,
        expect.stringContaining(': unicode'),
      ]);
    }
  });

  test('every value of another type is a 400', async () => {
    for (const name of Object.keys(good)) {
      for (const value of [{ no: {} }, [[]], true, 1.5, 1e300, 'not one of them', null].filter(
        (v) => !isFine(name, v),
      )) {
        const { status } = await ada.send(method, path(), { ...good, [name]: value });
        expect([name, value, status]).toEqual([name, value, 400]);
      }
    }
  });

  test('a body at its limit is read, and a larger one is a 413', async () => {
    const hasInput = path().startsWith('/tasks') || path() === '/executions';
    const limit = hasInput ? 24 * 1024 ** 2 : 1024 ** 2;
    const ofSize = (bytes: number) => `{"x":"${'x'.repeat(bytes - '{"x":""}'.length)}"}`;
    expect(await raw(method, path(), ofSize(limit))).toEqual([400, 'Validation failed']);
    expect(await raw(method, path(), ofSize(limit + 1))).toEqual([413, 'Request body is too large']);
  });
});

/** A task with metadata in exactly this JSON text. */
const taskWith = (metadata: string): string => JSON.stringify({ ...aTask, metadata: 0 }).replace(':0', `:${metadata}`);

/** JSON that JSON.parse changes. */
describe.each([
  ['POST', '/tasks', taskWith],
  ['PUT', '/tasks/{task}', (metadata: string): string => `{"metadata":${metadata}}`],
  ['POST', '/executions', taskWith],
] as const)('metadata of %s %s', (method, template, bodyWith) => {
  test.each([
    ['{"n":9007199254740993}', 'metadata.n: number'],
    ['{"a":[1,{"n":1e400}]}', 'metadata.a.1.n: number'],
    ['{"n":0.1000000000000000055}', 'metadata.n: number'],
    ['{"n":1e-400}', 'metadata.n: number'],
    ['{"n":1,"n":2}', 'metadata.n: duplicate'],
    ['{"__proto__":{"x":1}}', 'metadata.__proto__: forbidden'],
    ['{"a":{"__proto__":null}}', 'metadata.a.__proto__: forbidden'],
  ])('of %s would change on the way, so it is refused', async (metadata, error) => {
    expect(
      await refusalOf(ada, { method, path: template.replace('{task}', taskId), body: bodyWith(metadata) }),
    ).toEqual([400, error]);
  });
});

test('the response names a field that would be rounded or lost', async () => {
  for (const [path, field, value] of [
    ['/tasks', 'priority', '5.0000000000000000001'],
    ['/tasks', 'timeout_seconds', '1e400'],
    [`/tasks/${taskId}/executions`, 'wait', '18446744073709551616'],
  ] as const) {
    const body = `{"${field}":${value}}`;
    expect(await refusalOf(ada, { method: 'POST', path, body })).toEqual([400, `${field}: number`]);
  }
  const env = '{"input":{"env":{"__proto__":"x"}}}';
  expect(await refusalOf(ada, { method: 'POST', path: `/tasks/${taskId}/executions`, body: env })).toEqual([
    400,
    'input.env.__proto__: forbidden',
  ]);
  const body = '{"status":"completed","memory_usage_bytes":9007199254740993}';
  const refusal = await refusalOf(ada, { method: 'PUT', path: `/executions/${runId}`, body });
  expect(refusal).toEqual([400, 'memory_usage_bytes: number']);
});

test('an update without fields is a 400 and changes nothing', async () => {
  for (const body of ['{}', '']) expect((await ada.send('PUT', `/tasks/${taskId}`, body)).status).toBe(400);
  expect((await ada.send('POST', '/tasks', '')).status).toBe(400);
  expect((await ada.send('POST', '/tasks')).status).toBe(400);
});

test('every invalid field is reported, without the values of secrets', async () => {
  const body = { name: '', script_content: 7, priority: 99, scirpt_type: 'python', metadata: [] };
  const { body: answer } = await ada.send('POST', '/tasks', body, { 'x-request-id': 'req.1' });
  expect(answer).toMatchObject({
    type: 'urn:voidrunner:problem:validation_failed',
    title: 'Bad Request',
    status: 400,
    detail: 'Validation failed',
    error: 'Validation failed',
    instance: '/api/v1/tasks',
    request_id: 'req.1',
  });
  const errors = Object.fromEntries(answer.validation_errors.map((each: { field: string }) => [each.field, each]));
  expect(errors).toMatchObject({
    name: { value: '', tag: 'min' },
    script_content: { value: '[redacted]', tag: 'type' },
    script_type: { value: '', tag: 'required', message: 'Required' },
    priority: { value: '99', tag: 'max' },
    scirpt_type: { value: '', tag: 'unknown' },
    metadata: { value: '[array]', tag: 'type' },
  });
});

/** A valid body for every route that has an id or a query, and needs a body. */
const BODIES: Record<string, object> = {
  updateTask: { priority: 1 },
  reportExecution: { status: 'running' },
  updateWebhook: { include_output: true },
  runOnce: aTask,
};

test.each([
  ['a letter', 'x'],
  ['a number', '1'],
  ['NUL', '%00'],
  ['SQL', "1'--"],
  ['a parent path', '..%2f'],
  ['a letter with an accent', 'é'],
  ['an extra digit', `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(13)}`],
  ['much', 'a'.repeat(2_000)],
])('%s is not accepted as an id on any route', async (_what, id) => {
  for (const { method, path, operation } of api.contract.routes.filter((route) => route.path.includes('{id}'))) {
    const url = path
      .slice('/api/v1'.length)
      .replace('{id}', id)
      .replace('{stream}', 'stdout')
      .replace('{delivery}', randomUUID());
    const kind =
      { tasks: 'task', batches: 'batch', keys: 'API key', webhooks: 'webhook' }[path.split('/')[3]!] ?? 'execution';
    const { status, body } = await ada.send(method, url, BODIES[operation.operationId!]);
    expect([method, path, status, body.error]).toEqual([method, path, 400, `Invalid ${kind} ID format`]);
  }
});

const HUGE = [
  '1e308',
  '9999999999999999999',
  '9223372036854775808',
  '-1',
  '1.5',
  '0x10',
  'Infinity',
  'NaN',
  '१',
  ' 1',
  '%00',
];

test('out-of-range numbers in a query are a 400 that names them, on every route', async () => {
  const routes = api.contract.routes.filter(({ path }) => path.startsWith('/api/v1'));
  const seen = new Set<string>();
  for (const { method, path, operation } of routes) {
    const parameters = (operation.parameters ?? []).filter((each) => each.in === 'query');
    const id = { tasks: taskId, webhooks: webhookId }[path.split('/')[3]!] ?? runId;
    const url = path
      .slice('/api/v1'.length)
      .replace('{id}', id)
      .replace('{stream}', 'stdout')
      .replace('{delivery}', randomUUID());
    for (const { name } of parameters) {
      for (const value of HUGE) {
        const { status, body } = await ada.send(method, `${url}?${name}=${value}`, BODIES[operation.operationId!]);
        expect([method, path, name, value, status]).toEqual([method, path, name, value, 400]);
        expect(body.request_id).toEqual(expect.any(String));
        if (name !== 'cursor') expect(body.validation_errors).toMatchObject([{ field: name }]);
        seen.add(name);
      }
    }
  }
  expect([...seen]).toEqual(expect.arrayContaining(['limit', 'offset', 'cursor', 'as_of', 'wait', 'after_version']));
});

test.each([
  '__proto__=1',
  '__proto__[x]=1',
  'constructor=1',
  'constructor[prototype][x]=1',
  'toString=1',
  'hasOwnProperty',
])('the query ?%s is an unknown field', async (query) => {
  const { status, body } = await ada.send('GET', `/tasks?${query}`);
  expect([status, body.validation_errors]).toMatchObject([400, [{ tag: 'unknown' }]]);
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

test('an overlong path is a 414', async () => {
  const answer = await ada.client.request('GET', `/tasks/${'a'.repeat(3_000)}`);
  expect([answer.status, answer.body['error']]).toEqual([414, 'URI Too Long']);
});

test.each([
  ['GET', '/nothing', 404, 'Route not found'],
  ['GET', '/tasks/a/b/c', 404, 'Route not found'],
  ['PUT', '/executions', 405, 'Method not allowed'],
  ['PUT', '/tasks', 405, 'Method not allowed'],
  ['PATCH', '/tasks/x', 405, 'Method not allowed'],
  ['POST', '/executions/x', 405, 'Method not allowed'],
  ['DELETE', '/dead-letters', 405, 'Method not allowed'],
  ['GET', '/tasks/%zz', 400, 'Malformed URL'],
])('%s %s is a %i', async (method, path, status, error) => {
  const { body, headers, ...answer } = await ada.send(method, path);
  expect([answer.status, body.error, body.status]).toEqual([status, error, status]);
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  if (status === 405) expect(headers.get('allow')).toMatch(/GET/);
});

test('nonsensical headers are ignored or refused, and never cause a 500', async () => {
  for (const headers of [
    { 'x-request-id': 'é'.repeat(10) },
    { traceparent: '00-zz-zz-zz' },
    { prefer: ',,;=' },
    { accept: 'image/png' },
    { range: 'bytes=5-1' },
    { 'accept-encoding': 'nonsense' },
  ]) {
    const encoded = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, encodeURI(value!)]));
    expect((await ada.send('GET', '/tasks', undefined, encoded)).status).toBe(200);
  }
});
