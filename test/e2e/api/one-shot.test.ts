import { ok, withId } from '../../support/api-client.js';
import { Api, aTask, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
});
afterAll(() => api.close());

const typesOf = ({ events }: { events: { type: string }[] }): string[] => events.map(({ type }) => type);

test('the request creates a task and starts an execution, in one append', async () => {
  const before = await api.head();
  const { data, response } = await ada.api.POST('/api/v1/executions', { body: { ...aTask, input: { args: ['a'] } } });
  const { id, task_id, status } = data!;
  expect([response.status, status]).toEqual([201, 'pending']);
  expect(response.headers.get('location')).toBe(`/api/v1/executions/${id}`);
  expect(await api.head()).toBe(before + 3n);
  expect(await ada.execution(id)).toEqual(data);
  expect(await ada.task(task_id)).toMatchObject({ ...aTask, status: 'running' });
  const ofTask = await ok(ada.api.GET('/api/v1/tasks/{id}/events', withId(task_id)));
  expect(typesOf(ofTask)).toEqual(['TaskCreated', 'TaskExecutionStarted']);
  const ofRun = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(id)));
  expect(typesOf(ofRun)).toEqual(['ExecutionRequested']);
});

test('with ?wait the response is the end', async () => {
  const run = await ok(ada.api.POST('/api/v1/executions', { params: { query: { wait: 1 } }, body: aTask }));
  expect(run.status).toBe('pending');
});

test.each<[string, object, string]>([
  ['a field that a task does not have', { executor: 'external' }, 'executor'],
  ['a limit above the operator’s', { limits: { memory_mb: 100_000 } }, 'limits.memory_mb'],
  ['no script', { script_content: undefined }, 'script_content'],
  ['an input that leaves its folder', { input: { files: [{ path: '../x', content: '' }] } }, 'input.files.0.path'],
])('%s is refused, and nothing is created', async (_, fields, field) => {
  const head = await api.head();
  const { status, body } = await ada.send('POST', '/executions', { ...aTask, ...fields });
  expect([status, body.error, body.validation_errors[0].field]).toEqual([400, 'Validation failed', field]);
  expect(await api.head()).toBe(head);
});

test('a body may be as large as its input requires', async () => {
  const stdin = 'x'.repeat(1024 ** 2);
  const { status, body } = await ada.send('POST', '/executions', { ...aTask, input: { stdin } });
  expect([status, body.status]).toEqual([201, 'pending']);
  expect((await ada.send('POST', '/executions', { ...aTask, description: 'x'.repeat(24 * 1024 ** 2) })).status).toBe(
    413,
  );
});
