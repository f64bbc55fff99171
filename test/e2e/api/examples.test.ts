import { call } from '../../support/api-client.js';
import { eventually } from '../../support/eventually.js';
import { Api, aTask } from './support/api.js';
import { startAttempt } from './support/attempts.js';
import type { Route } from './support/contract.js';
import { endDelivery } from './support/deliveries.js';
import { takeInput } from './support/interactive-run.js';

/**
 * In the order in which a newcomer tries them on the page: an operation follows the one that returns the `id` in its
 * path.
 */
const ORDER: Readonly<Record<string, string>> = {
  ...{ health: '', ping: '', workersHealth: '', listRuntimes: '' },
  ...{ register: '', login: '', refresh: '', me: '', changePassword: '' },
  ...{ createKey: '', listKeys: '', getKey: 'createKey', revokeKey: 'createKey' },
  ...{ createTask: '', listTasks: '', getTask: 'createTask', updateTask: 'createTask' },
  ...{ startExecution: 'createTask', listTaskExecutions: 'createTask', listExecutions: '' },
  ...{ getExecution: 'startExecution', reportExecution: 'startExecution' },
  ...{ executionHistory: 'startExecution', executionOutput: 'startExecution' },
  ...{ executionFile: 'withFile', rerunExecution: 'withFile', sendStdin: 'talk' },
  ...{ taskHistory: 'createTask', deleteTask: 'createTask' },
  ...{ runOnce: '', cancelExecution: 'runOnce' },
  ...{ createWebhook: '', listWebhooks: '', getWebhook: 'createWebhook', updateWebhook: 'createWebhook' },
  ...{ rotateWebhookSecret: 'createWebhook', testWebhook: 'createWebhook', listWebhookDeliveries: 'createWebhook' },
  ...{ redeliverWebhook: 'withDelivery', deleteWebhook: 'createWebhook' },
  ...{ createBatch: '', listBatches: '', getBatch: 'createBatch', cancelBatch: 'createBatch' },
  ...{ listDeadLetters: '', getDeadLetter: 'deadLetter', redriveDeadLetter: 'deadLetter' },
  ...{ discardDeadLetter: 'anotherDeadLetter', rerunExecutions: '', logout: '', eraseAccount: '', ready: '' },
  ...{ getLogKeys: '', getLatestCheckpoint: 'sealed', getLogConsistency: 'sealed' },
};

let api: Api;
/** By operation; a field that no example can provide is named here. */
const answers = new Map<string, Record<string, any>>();

beforeAll(async () => {
  api = await Api.start();
});
afterAll(() => api.close());

const routeOf = (operationId: string): Route =>
  api.contract.routes.find(({ operation }) => operation.operationId === operationId)!;

const authorization = (): Record<string, string> => {
  const token = answers.get('refresh')?.['access_token'] as string | undefined;
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
};

/** The values that the page fills in; those left to the reader come from earlier responses. */
function requestOf(operationId: string) {
  const { method, path, operation } = routeOf(operationId);
  const { id, delivery } = answers.get(ORDER[operationId]!) ?? {};
  const url = new URL(api.service.url);
  url.pathname = path.replace('{id}', String(id)).replace('{delivery}', String(delivery));
  for (const { name, in: where, schema } of operation.parameters ?? []) {
    const value = (schema?.example ?? schema?.default) as string | number | undefined;
    if (value === undefined) continue;
    if (where === 'path') url.pathname = url.pathname.replace(encodeURI(`{${name}}`), String(value));
    if (where === 'query') url.searchParams.set(name, String(value));
  }
  return { method, url: url.href, body: bodyOf(operationId, operation.requestBody) };
}

function bodyOf(operationId: string, requestBody: Route['operation']['requestBody']): unknown {
  if (!requestBody) return undefined;
  const bytes = requestBody.content['text/plain'];
  if (bytes) return bytes.schema!.example;
  const name = requestBody.content['application/json']!.schema!.$ref!.split('/').at(-1)!;
  const { example } = api.contract.document.components.schemas[name]!;
  expect([operationId, example]).toEqual([operationId, expect.any(Object)]);
  return operationId === 'refresh' ? { refresh_token: answers.get('login')!['refresh_token'] } : example;
}

async function tryOut(operationId: string): Promise<void> {
  const { method, url, body } = requestOf(operationId);
  const type = typeof body === 'string' && { 'content-type': 'text/plain' };
  const answer = await call<Record<string, any>>(url, method, body, { ...authorization(), ...type });
  api.contract.check(method, new URL(url).pathname, answer);
  expect([operationId, answer.status, answer.body]).toEqual([operationId, successOf(operationId), expect.anything()]);
  answers.set(operationId, answer.body);
}

const successOf = (operationId: string): number =>
  Number(Object.keys(routeOf(operationId).operation.responses).find((status) => status.startsWith('2')));

/** With the password to which the examples changed it. */
async function newSession(): Promise<Record<string, any>> {
  const { email } = bodyOf('login', routeOf('login').operation.requestBody) as { email: string };
  const { new_password } = bodyOf('changePassword', routeOf('changePassword').operation.requestBody) as {
    new_password: string;
  };
  return (await api.anonymous('POST', '/auth/login', { email, password: new_password })).body;
}

/** Of the example's task, with the file that the example asks for. */
async function withFile(): Promise<{ id: string }> {
  const { id } = (await api.anonymous<{ id: string }>('POST', '/executions', aTask, authorization())).body;
  await (await startAttempt(api, id)).succeed(['out/plot.png']);
  return { id };
}

/** Its delivery has ended. */
async function withDelivery(): Promise<{ id: string; delivery: string }> {
  const { id } = answers.get('createWebhook') as { id: string };
  const delivery = answers.get('testWebhook')!['id'] as string;
  await endDelivery(api, delivery);
  return { id, delivery };
}

/** It takes input without a worker. */
async function talk(): Promise<{ id: string }> {
  const body = { ...aTask, input: { interactive: true } };
  const { id } = (await api.anonymous<{ id: string }>('POST', '/executions', body, authorization())).body;
  await takeInput(api, id);
  return { id };
}

/** A newcomer has to wait for an execution that fails for good. */
async function deadLetter(): Promise<{ id: string }> {
  const body = { ...aTask, retry: { max_attempts: 1, retry_on: ['exit_code'] } };
  const { id } = (await api.anonymous<{ id: string }>('POST', '/executions', body, authorization())).body;
  await (await startAttempt(api, id)).fail(3);
  await eventually(async () => {
    const { status } = await api.anonymous('GET', `/dead-letters/${id}`, undefined, authorization());
    expect(status).toBe(200);
  });
  return { id };
}

test('every operation has a place in the order of the examples', () => {
  const names = api.contract.routes.map(({ operation }) => operation.operationId);
  expect(names.toSorted()).toEqual(Object.keys(ORDER).toSorted());
});

test('every example works for a new user', async () => {
  for (const operationId of Object.keys(ORDER)) {
    if (operationId === 'executionFile') answers.set('withFile', await withFile());
    if (operationId === 'redeliverWebhook') answers.set('withDelivery', await withDelivery());
    if (operationId === 'sendStdin') answers.set('talk', await talk());
    if (operationId === 'listDeadLetters') {
      answers.set('deadLetter', await deadLetter()).set('anotherDeadLetter', await deadLetter());
    }
    // The session has ended with the logout.
    if (operationId === 'eraseAccount') answers.set('refresh', await newSession());
    // Workers start only here: a worker would take the execution that is reported before.
    if (operationId === 'ready') await startWorker();
    if (operationId === 'getLatestCheckpoint') await sealed();
    await tryOut(operationId);
  }
});

/** A checkpoint is signed once a second. */
const sealed = () =>
  eventually(async () => expect(await api.anonymous('GET', '/log/checkpoints/latest')).toMatchObject({ status: 200 }));

async function startWorker(): Promise<void> {
  await api.service.start({ VOIDRUNNER_ROLES: 'worker' });
  await eventually(async () => expect((await call(`${api.service.url}/ready`, 'GET')).status).toBe(200));
}

test('the program of the examples prints the documented output', async () => {
  const [task, input, once] = ['CreateTask', 'StartExecution', 'RunOnce'].map(
    (name) => api.contract.document.components.schemas[name]!.example as object,
  );
  const ada = await api.register();
  const { id } = await ada.ok('POST', '/tasks', task);
  const runs = [ada.ok('POST', `/tasks/${id}/executions?wait=60`, input), ada.ok('POST', '/executions?wait=60', once)];
  for (const run of await Promise.all(runs)) {
    expect(await ada.client.follow(run.id)).toMatchObject({ status: 'completed', stdout: 'Hello world\n' });
  }
});
