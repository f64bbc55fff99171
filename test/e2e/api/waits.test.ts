import { randomUUID } from 'node:crypto';

import { eventually } from '../../support/eventually.js';
import { Api, NO_WORKER, type Person } from './support/api.js';

let api: Api;
let ada: Person;

beforeAll(async () => {
  api = await Api.start({ ...NO_WORKER, RATE_LIMIT_CONCURRENT: '2' });
  ada = await api.register();
});
afterAll(() => api.close());

const EXTERNAL = { executor: 'external' };
const COMPLETED = { status: 'completed', return_code: 0, stdout: 'done\n' } as const;

const openRequests = (): number => api.service.processes[0]!.infra.concurrent.counts.wait;

/** Starts an execution of a new task and waits for its end. @returns the execution, and the response of the wait */
async function waitFor(seconds: number, signal?: AbortSignal) {
  const task = await ada.createTask();
  const path = `/tasks/${task.id}/executions`;
  const answer = fetch(`${api.service.url}/api/v1${path}?wait=${seconds}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ada.token}`, 'content-type': 'application/json' },
    body: JSON.stringify(EXTERNAL),
    ...(signal && { signal }),
  });
  const run = await eventually(async () => {
    const { executions } = await ada.ok('GET', path);
    expect(executions).toHaveLength(1);
    return executions[0] as { id: string };
  });
  return { run, answer };
}

const complete = (run: { id: string }) => ada.report(run.id, COMPLETED);

test('a start with ?wait returns the end, which every view then shows', async () => {
  const { run, answer } = await waitFor(60);
  await complete(run);
  const ended = (await (await answer).json()) as Record<string, unknown>;
  expect(ended).toMatchObject({ id: run.id, status: 'completed', stdout: 'done\n' });
  expect(await ada.execution(run.id)).toEqual(ended);
});

test('after the wait it returns the current state of the execution', async () => {
  const { id } = await ada.createTask();
  const { status, body, headers } = await ada.send('POST', `/tasks/${id}/executions?wait=1`, EXTERNAL);
  expect([status, body.status]).toEqual([201, 'pending']);
  expect(headers.get('location')).toBe(`/api/v1/executions/${body.id}`);
  await complete(body);
});

test.each(['61', '-1', '1.5', 'soon', ''])('wait=%s is refused, and nothing is started', async (wait) => {
  const { id } = await ada.createTask();
  const { status, body } = await ada.send('POST', `/tasks/${id}/executions?wait=${wait}`, EXTERNAL);
  expect([status, body.validation_errors[0].field]).toEqual([400, 'wait']);
  expect(await ada.ok('GET', `/tasks/${id}/executions`)).toMatchObject({ total: 0 });
});

test('a start that is not possible is refused at once', async () => {
  const { status } = await ada.send('POST', `/tasks/${randomUUID()}/executions?wait=60`);
  expect(status).toBe(404);
  expect(openRequests()).toBe(0);
});

test('the number of waiting requests per user is limited; a client that disconnects frees its place', async () => {
  const client = new AbortController();
  const first = await waitFor(60, client.signal);
  const second = await waitFor(60);
  const { id } = await ada.createTask();
  const third = await ada.send('POST', `/tasks/${id}/executions?wait=60`, EXTERNAL);
  expect([third.status, third.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await ada.ok('GET', `/tasks/${id}/executions`)).toMatchObject({ total: 0 });

  client.abort();
  await expect(first.answer).rejects.toThrow('aborted');
  await eventually(async () => expect(openRequests()).toBe(1));
  await complete(first.run);
  await complete(second.run);
  expect((await second.answer).status).toBe(201);
});

test('a process that stops responds to waiting clients', async () => {
  const { run, answer } = await waitFor(60);
  const [first] = api.service.processes;
  await api.service.start({ ...NO_WORKER });
  await api.service.stop(first!);
  const stopped = await answer;
  expect([stopped.status, ((await stopped.json()) as { status: string }).status]).toEqual([201, 'pending']);
  await complete(run);
});
