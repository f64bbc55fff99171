import fc from 'fast-check';

import { isStorableJson } from '../../../src/kernel/json.js';
import { Api, aTask, type Person } from './support/api.js';

let api: Api;
let ada: Person;
let taskId: string;
let runId: string;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
  ({ id: taskId } = await ada.createTask({ max_parallel: 100 }));
  ({ id: runId } = await ada.startExternal());
});
afterAll(() => api.close());

/** Requests per route; each costs some 10 ms. */
const NUM_RUNS = 40;

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '\0', '\ud800', "'; drop table es.events --", '{{7*7}}', '../../etc/passwd', 'x'.repeat(70_000)),
);
const anyNumber = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e308),
);
const anything = fc.oneof(
  { weight: 3, arbitrary: fc.oneof(anyText, anyNumber, fc.boolean(), fc.constant(null)) },
  { weight: 1, arbitrary: fc.oneof(fc.array(anyText), fc.dictionary(anyText, anyText), fc.jsonValue()) },
);

/** A good body with any of its fields set to something else, and now and then something else altogether. */
const bodiesLike = (fields: Record<string, fc.Arbitrary<unknown>>, required: readonly string[]) =>
  fc.oneof(
    { weight: 4, arbitrary: fc.record(fields, { requiredKeys: [...required] }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(fc.record(fields, { requiredKeys: [...required] }), fc.constantFrom(...Object.keys(fields)), anything)
        .map(([body, name, value]) => ({ ...body, [name]: value })),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.dictionary(fc.constantFrom(...Object.keys(fields), 'id'), anything)).map(([body]) => body),
    },
    { weight: 1, arbitrary: anything },
  );

const taskFields = {
  name: fc.string({ minLength: 1, maxLength: 255 }),
  description: fc.option(fc.string({ maxLength: 1_000 })),
  script_content: fc.string({ minLength: 1 }),
  script_type: fc.constantFrom('python', 'javascript', 'typescript', 'bash', 'go'),
  priority: fc.integer({ min: -1, max: 11 }),
  timeout_seconds: fc.integer({ min: 0, max: 3_601 }),
  metadata: fc.dictionary(fc.string(), fc.jsonValue()),
  max_parallel: fc.integer({ min: 0, max: 101 }),
  retry: fc.record(
    { max_attempts: fc.nat(11), backoff_factor: fc.double({ min: 0.5, max: 10.5, noNaN: true }) },
    { requiredKeys: [] },
  ),
  limits: fc.record({ memory_mb: fc.integer({ min: 15, max: 513 }), cpus: anyNumber }, { requiredKeys: [] }),
};
const runFields = {
  executor: fc.constantFrom('external', 'embedded'),
  input: fc.record(
    {
      stdin: fc.string({ unit: 'grapheme' }),
      args: fc.array(fc.string()),
      env: fc.dictionary(fc.constantFrom('A', 'B_1', '1', 'a-b', ''), fc.string()),
      files: fc.array(fc.record({ path: fc.constantFrom('a', 'a/b', '/a', '..', 'main.py'), content: fc.string() }), {
        maxLength: 3,
      }),
    },
    { requiredKeys: [] },
  ),
};
const reportFields = {
  status: fc.constantFrom('running', 'pending', 'done'),
  started_at: fc.oneof(
    fc.date().map((date) => (Number.isNaN(date.getTime()) ? 'never' : date.toISOString())),
    anyText,
  ),
};

const routes: [string, string, string, fc.Arbitrary<unknown>][] = [
  ['POST', '/api/v1/tasks', '/tasks', bodiesLike(taskFields, Object.keys(aTask))],
  ['PUT', '/api/v1/tasks/{id}', '/tasks/{task}', bodiesLike(taskFields, [])],
  ['POST', '/api/v1/tasks/{id}/executions', '/tasks/{task}/executions', bodiesLike(runFields, ['executor'])],
  ['PUT', '/api/v1/executions/{id}', '/executions/{run}', bodiesLike(reportFields, ['status'])],
];

test.each(routes)(
  '%s %s answers any body as the document says, and records nothing it refused',
  async (method, path, url, bodies) => {
    const { operation } = api.contract.routes.find((route) => route.method === method && route.path === path)!;
    const schema = operation.requestBody!.content['application/json']!.schema!;
    const where = url.replace('{task}', taskId).replace('{run}', runId);
    const property = fc.asyncProperty(bodies, async (body) => {
      const head = await api.head();
      const { status } = await ada.send(method, where, JSON.stringify(body));
      expect([200, 201, 400, 409]).toContain(status);
      if (status >= 400) expect(await api.head()).toBe(head);
      // What JSON makes of it, -0 for instance, is what was sent.
      const sent: unknown = JSON.parse(JSON.stringify(body));
      if (status < 300) expect([api.contract.accepts(schema, sent), isStorableJson(sent)]).toEqual([true, true]);
      if (!api.contract.accepts(schema, sent) || !isStorableJson(sent)) expect(status).toBe(400);
    });
    await fc.assert(property, { numRuns: NUM_RUNS, interruptAfterTimeLimit: 20_000 });
  },
);

test('bad requests harm none of their neighbours', async () => {
  const bob = await api.register();
  const { id } = await bob.createTask({ name: 'busy' });
  await bob.start(id, { executor: 'external' });
  const head = await api.head();
  const good = Array.from({ length: 40 }, (_, index) => ({ ...aTask, name: `good ${index}` }));
  const bad: (() => Promise<{ status: number }>)[] = [
    () => bob.send('POST', '/tasks', { ...aTask, name: 'a\0b' }),
    () => bob.send('POST', '/tasks', { ...aTask, metadata: { a: '\ud800' } }),
    () => bob.send('POST', '/tasks', '{'),
    () => bob.send('POST', '/tasks', { ...aTask, priority: 11 }),
    () => bob.send('POST', `/tasks/${id}/executions`),
    () => bob.send('PUT', `/tasks/${id}`, { name: 'x' }),
    () => bob.send('DELETE', `/tasks/${taskId}`),
    () => bob.send('PUT', `/tasks/${taskId}`, { name: 'x' }, { 'if-match': '"7"' }),
  ];
  const answers = await Promise.all(
    good.map(async (task, index) => {
      const [answer, refused] = await Promise.all([bob.send('POST', '/tasks', task), bad[index % bad.length]!()]);
      return [answer.status, Math.floor(refused.status / 100)];
    }),
  );
  expect(answers).toEqual(good.map(() => [201, 4]));
  expect(await api.head()).toBe(head + BigInt(good.length));
  const { tasks } = await bob.ok('GET', '/tasks?limit=100');
  expect(tasks.map(({ name }: { name: string }) => name).toSorted()).toEqual(
    ['busy', ...good.map(({ name }) => name)].toSorted(),
  );
});
