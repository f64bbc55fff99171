import { Api, aTask, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

const typesOf = async (path: string): Promise<string[]> =>
  (await ada.ok('GET', `${path}/events`)).events.map(({ type }: { type: string }) => type);

test('a task is created and its run started, in one append', async () => {
  const before = await api.head();
  const { status, body, headers } = await ada.send('POST', '/executions', { ...aTask, input: { args: ['a'] } });
  expect([status, body.status, headers.get('location')]).toEqual([201, 'pending', `/api/v1/executions/${body.id}`]);
  expect(await api.head()).toBe(before + 3n);
  expect(await ada.ok('GET', `/executions/${body.id}`)).toEqual(body);
  expect(await ada.ok('GET', `/tasks/${body.task_id}`)).toMatchObject({ ...aTask, status: 'running' });
  expect(await typesOf(`/tasks/${body.task_id}`)).toEqual(['TaskCreated', 'TaskExecutionStarted']);
  expect(await typesOf(`/executions/${body.id}`)).toEqual(['ExecutionRequested']);
});

test('it waits, where it is asked to', async () => {
  const { status, body } = await ada.send('POST', '/executions?wait=1', aTask);
  expect([status, body.status]).toEqual([201, 'pending']);
});

test.each<[string, object, string]>([
  ['a field that a task does not have', { executor: 'external' }, 'executor'],
  ['a limit above the operator’s', { limits: { memory_mb: 100_000 } }, 'limits.memory_mb'],
  ['no script', { script_content: undefined }, 'script_content'],
  ['an input that leaves its folder', { input: { files: [{ path: '../x', content: '' }] } }, 'input.files.0.path'],
])('%s is refused, and neither is made', async (_, fields, field) => {
  const head = await api.head();
  const { status, body } = await ada.send('POST', '/executions', { ...aTask, ...fields });
  expect([status, body.error, body.validation_errors[0].field]).toEqual([400, 'Validation failed', field]);
  expect(await api.head()).toBe(head);
});

test('a body may be as large as an input makes it', async () => {
  const stdin = 'x'.repeat(1024 ** 2);
  const { status, body } = await ada.send('POST', '/executions', { ...aTask, input: { stdin } });
  expect([status, body.status]).toEqual([201, 'pending']);
  expect((await ada.send('POST', '/executions', { ...aTask, description: 'x'.repeat(2 * 1024 ** 2) })).status).toBe(
    413,
  );
});
