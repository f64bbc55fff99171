import type { Service } from '../../../src/composition/service.js';
import { call, ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';
import { startAttempt } from './support/attempts.js';

let api: Api;
let ada: Person;
/** A second API process, which has no connection to NATS. */
let deaf: Service;

const NO_PROJECTOR = { VOIDRUNNER_ROLES: 'api,relay,orchestrator', SERVER_OWN_WRITES_TIMEOUT: '1ms' };
const COMPLETED = { status: 'completed', return_code: 0, stdout: 'done\n' } as const;
const EXTERNAL = { executor: 'external' } as const;

beforeAll(async () => {
  api = await Api.start(NO_PROJECTOR);
  ada = await api.register();
  deaf = await api.service.start({ VOIDRUNNER_ROLES: 'api', NATS_URL: 'nats://127.0.0.1:1' });
});
// The views contain active executions only if a projector runs.
afterAll(async () => {
  await api.service.stop(deaf);
  await api.service.start({ VOIDRUNNER_ROLES: 'projector' });
  await api.close();
});

interface Seen {
  readonly status: number;
  readonly body: any;
}

const from = async (url: string, path: string, person: Person): Promise<Seen> => {
  const headers = { authorization: `Bearer ${person.token}`, 'x-request-id': 'the-same' };
  const { status, body } = await call(`${url}/api/v1${path}`, 'GET', undefined, headers);
  return { status, body };
};

/** The response of both processes, which must be the same. */
async function everywhere(path: string, person = ada): Promise<Seen> {
  const answers = [await from(api.service.url, path, person), await from(deaf.url!, path, person)];
  expect(answers[1]).toEqual(answers[0]);
  return answers[0]!;
}

describe('without a projector, every acknowledged write can be read at once, in every process', () => {
  test('tasks, from their creation to their deletion', async () => {
    const { id } = await ada.createTask({ name: 'first' });
    expect(await everywhere(`/tasks/${id}`)).toMatchObject({ status: 200, body: { name: 'first', version: 1 } });
    await ada.updateTask(id, { name: 'second' });
    expect(await everywhere(`/tasks/${id}`)).toMatchObject({ status: 200, body: { name: 'second', version: 2 } });
    const run = await ada.start(id, EXTERNAL);
    expect((await everywhere(`/tasks/${id}`)).body.status).toBe('running');
    expect((await everywhere(`/tasks/${id}/executions`)).status).toBe(200);
    await ada.report(run.id, COMPLETED);
    expect((await everywhere(`/tasks/${id}`)).body.status).toBe('completed');
    await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(id)));
    expect(await everywhere(`/tasks/${id}`)).toMatchObject({
      status: 404,
      body: { type: 'urn:voidrunner:problem:task_not_found' },
    });
  });

  test('executions, with their output', async () => {
    const run = await ada.startExternal();
    expect((await everywhere(`/executions/${run.id}`)).body).toEqual(run);
    await ada.report(run.id, { status: 'running' });
    expect((await everywhere(`/executions/${run.id}`)).body.status).toBe('running');
    const ended = await ada.report(run.id, COMPLETED);
    expect((await everywhere(`/executions/${run.id}`)).body).toEqual(ended);
    const output = await fetch(`${deaf.url}/api/v1/executions/${run.id}/output/stdout`, {
      headers: { authorization: `Bearer ${ada.token}` },
    });
    expect([output.status, await output.text()]).toEqual([200, 'done\n']);
  });

  test('cancelled executions', async () => {
    const run = await ada.startExternal();
    await ada.cancel(run.id);
    expect((await everywhere(`/executions/${run.id}`)).body.status).toBe('cancelled');
    expect((await everywhere(`/tasks/${run.task_id}`)).body.status).toBe('pending');
  });

  test('dead letters, until they are redriven or discarded', async () => {
    const { id: taskId } = await ada.createTask({ retry: { max_attempts: 1, retry_on: ['exit_code'] } });
    const { id } = await ada.start(taskId);
    expect((await everywhere(`/dead-letters/${id}`)).status).toBe(404);
    await (await startAttempt(api, id)).fail(1);
    expect(await everywhere(`/dead-letters/${id}`)).toMatchObject({ status: 200, body: { status: 'failed' } });
    await ok(ada.api.POST('/api/v1/dead-letters/{id}/redrive', withId(id)));
    expect((await everywhere(`/dead-letters/${id}`)).status).toBe(404);
    expect((await everywhere(`/executions/${id}`)).body.status).toBe('pending');
    await (await startAttempt(api, id, 2)).fail(1);
    await ok(ada.api.DELETE('/api/v1/dead-letters/{id}', withId(id)));
    expect((await everywhere(`/dead-letters/${id}`)).status).toBe(404);
    expect((await everywhere(`/executions/${id}`)).body.status).toBe('failed');
  });

  test('users cannot read objects of others', async () => {
    const run = await ada.startExternal();
    const eve = await api.register();
    for (const path of [`/tasks/${run.task_id}`, `/executions/${run.id}`, `/dead-letters/${run.id}`]) {
      expect((await everywhere(path, eve)).status).toBe(403);
    }
  });

  test('a start with ?wait returns the end, and says how far lists lag', async () => {
    const { id: taskId } = await ada.createTask();
    const waits = [api.service.url, deaf.url!].map((url) =>
      call<{ id: string }>(`${url}/api/v1/tasks/${taskId}/executions?wait=60`, 'POST', EXTERNAL, {
        authorization: `Bearer ${ada.token}`,
        prefer: 'wait',
      }),
    );
    // One at a time: a task has one execution at a time.
    const refused = await Promise.race(waits);
    expect(refused.status).toBe(409);
    const { body } = await everywhere(`/tasks/${taskId}/events`);
    const started = body.events.find(({ type }: { type: string }) => type === 'TaskExecutionStarted');
    await ada.report(started.data.execution_id, COMPLETED);
    const ended = (await Promise.all(waits)).find(({ status }) => status === 201)!;
    expect(ended.body).toMatchObject({ id: started.data.execution_id, status: 'completed', stdout: 'done\n' });
    expect(ended.headers.get('x-read-position')).toMatch(/^\d+$/);
  });
});

test('a projector that catches up changes no response', async () => {
  const run = await ada.startExternal();
  const ended = await ada.report(run.id, COMPLETED);
  const projector = await api.service.start({ VOIDRUNNER_ROLES: 'projector' });
  const head = await api.head();
  await api.service.processes[0]!.infra.visibility.waitFor(head, 60_000);
  expect(await ada.ok('GET', `/tasks/${run.task_id}/executions`)).toMatchObject({ total: 1 });
  expect((await everywhere(`/executions/${run.id}`)).body).toEqual(ended);
  await api.service.stop(projector);
});
