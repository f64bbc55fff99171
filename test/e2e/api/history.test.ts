import { randomUUID } from 'node:crypto';

import { ok, withId } from '../../support/api-client.js';
import { Api, type Person } from './support/api.js';

interface Entry {
  readonly type: string;
  readonly version: number;
  readonly position: number;
  readonly time: string;
  readonly actor: string;
  readonly data: Record<string, unknown>;
}

let api: Api;
let ada: Person;
/** A task that was created, changed, executed and deleted, and its execution. */
let taskId: string;
let runId: string;
let ofTask: Entry[];
let ofRun: Entry[];

beforeAll(async () => {
  api = await Api.start();
  ada = await api.register();
  ({ id: taskId } = await ada.createTask({ name: 'first', script_content: 'print(1)' }));
  await ada.ok('PUT', `/tasks/${taskId}`, { name: 'second', script_content: 'print(2)' });
  ({ id: runId } = await ada.start(taskId, { executor: 'external' }));
  await ada.report(runId, { status: 'running' });
  await ada.report(runId, { status: 'failed', return_code: 2, stdout: 'out' });
  await ok(ada.api.DELETE('/api/v1/tasks/{id}', withId(taskId)));
  ({ events: ofTask } = await ok(ada.api.GET('/api/v1/tasks/{id}/events', withId(taskId))));
  ({ events: ofRun } = await ok(ada.api.GET('/api/v1/executions/{id}/events', withId(runId))));
});
afterAll(() => api.close());

test('a task has its own history, oldest event first', () => {
  expect(ofTask.map(({ type }) => type)).toEqual([
    'TaskCreated',
    'TaskUpdated',
    'TaskExecutionStarted',
    'TaskExecutionFinished',
    'TaskDeleted',
  ]);
  expect(ofTask.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
  expect(ofTask[1]!.data).toMatchObject({ definition_version: 2, changes: { name: 'second' } });
  expect(ofTask.every(({ actor }) => actor === `user:${ada.id}`)).toBe(true);
  expect(JSON.stringify(ofTask)).not.toContain('print(');
});

test('an execution has its own history, in the order of the log', () => {
  expect(ofRun.map(({ type }) => type)).toEqual(['ExecutionRequested', 'ExecutionAttemptStarted', 'ExecutionReported']);
  const positions = [...ofTask, ...ofRun].map(({ position }) => position);
  expect(new Set(positions).size).toBe(8);
  expect(ofRun.map(({ position }) => position)).toEqual(
    ofRun.map(({ position }) => position).toSorted((a, b) => a - b),
  );
  expect(ofRun[1]!.data).toEqual({
    attempt: 1,
    worker: 'external',
    queued_ms: 0,
    started_at: expect.stringMatching(/^\d{4}-.*Z$/) as unknown,
  });
});

test('a history is read page by page', async () => {
  const first = await ada.ok('GET', `/tasks/${taskId}/events?limit=2`);
  expect(first).toEqual({ events: ofTask.slice(0, 2), has_more: true });
  const rest = await ada.ok('GET', `/tasks/${taskId}/events?after_version=2&limit=3`);
  expect(rest).toEqual({ events: ofTask.slice(2), has_more: false });
  expect(await ada.ok('GET', `/executions/${runId}/events?after_version=9`)).toEqual({ events: [], has_more: false });
  for (const query of ['limit=0', 'limit=1001', 'after_version=-1', 'from=1']) {
    expect((await ada.send('GET', `/tasks/${taskId}/events?${query}`)).status).toBe(400);
  }
});

describe('as of', () => {
  test.each([
    [1, { name: 'first', script_content: 'print(1)', status: 'pending', version: 1 }],
    [2, { name: 'second', script_content: 'print(2)', status: 'pending', version: 2 }],
    [3, { name: 'second', status: 'running', version: 2 }],
    [4, { name: 'second', status: 'failed', version: 2 }],
  ])('version %i of the task is returned', async (version, expected) => {
    expect(await ada.ok('GET', `/tasks/${taskId}?as_of=${version}`)).toMatchObject(expected);
  });

  test.each([
    [1, { status: 'pending', attempt: 0, stdout: null }],
    [2, { status: 'running', attempt: 1, stdout: null }],
    [3, { status: 'failed', return_code: 2, stdout: 'out' }],
  ])('version %i of the execution is returned', async (version, expected) => {
    expect(await ada.ok('GET', `/executions/${runId}?as_of=${version}`)).toMatchObject({ ...expected, version });
  });

  test('the last version of the execution equals its current state', async () => {
    expect(await ada.ok('GET', `/executions/${runId}?as_of=3`)).toEqual(await ada.execution(runId));
  });

  test('a time selects the last event recorded by then', async () => {
    for (const { time } of ofTask.slice(0, 4)) {
      // Several events may have the same millisecond.
      const latest = ofTask.findLast((event) => event.time <= time)!;
      const [byTime, byVersion] = await Promise.all(
        [time, latest.version].map((asOf) => ada.send('GET', `/tasks/${taskId}?as_of=${asOf}`)),
      );
      expect([byTime!.status, byTime!.body]).toEqual([byVersion!.status, byVersion!.body]);
    }
    const later = encodeURIComponent('2999-01-01T00:00:00+02:00');
    expect(await ada.ok('GET', `/executions/${runId}?as_of=${later}`)).toMatchObject({ status: 'failed' });
  });

  test.each([
    ['before its creation', '2020-01-01T00:00:00Z'],
    ['after its deletion', '2999-01-01T00:00:00Z'],
    ['its last version, the deletion', '5'],
  ])('%s the task is a 404', async (_what, asOf) => {
    const { status, body } = await ada.send('GET', `/tasks/${taskId}?as_of=${asOf}`);
    expect([status, body.error]).toEqual([404, 'Task not found']);
  });

  test('before its request the execution is a 404', async () => {
    const { status, body } = await ada.send('GET', `/executions/${runId}?as_of=2020-01-01T00:00:00Z`);
    expect([status, body.error]).toEqual([404, 'Execution not found']);
  });

  test.each([
    ['/tasks', () => taskId, 6, 5],
    ['/tasks', () => taskId, 99, 5],
    ['/executions', () => runId, 4, 3],
    ['/executions', () => runId, 99, 3],
  ])('a version of %s that does not exist is a 404 that names the newest one', async (path, id, version, newest) => {
    const { status, body } = await ada.send('GET', `${path}/${id()}?as_of=${version}`);
    expect(status).toBe(404);
    expect(body.detail).toBe(`Version ${version} does not exist: the newest version is ${newest}`);
    expect(body.details).toEqual({ newest_version: newest });
  });

  test.each(['', '0', '-1', '1.5', 'yesterday', '2026-01-01', '2026-02-30T00:00:00Z', '1&as_of=2', '99999999999'])(
    '%s is a 400',
    async (asOf) => {
      for (const path of [`/tasks/${taskId}`, `/executions/${runId}`]) {
        const { status, body } = await ada.send('GET', `${path}?as_of=${asOf}`);
        expect([status, body.validation_errors[0].field]).toEqual([400, 'as_of']);
      }
    },
  );

  test('another user is refused', async () => {
    const bob = await api.register();
    for (const path of [`/tasks/${taskId}`, `/executions/${runId}`]) {
      for (const query of ['?as_of=1', '/events']) {
        const { status, body } = await bob.send('GET', path + query);
        expect([status, body.error]).toEqual([403, 'Access denied']);
      }
    }
  });

  test('an id that does not exist is a 404', async () => {
    for (const query of ['?as_of=1', '/events']) {
      expect((await ada.send('GET', `/tasks/${randomUUID()}${query}`)).body.error).toBe('Task not found');
      expect((await ada.send('GET', `/executions/${randomUUID()}${query}`)).body.error).toBe('Execution not found');
    }
  });
});
