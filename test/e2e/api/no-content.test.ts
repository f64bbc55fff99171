import { request } from 'node:http';

import { ok } from '../../support/api-client.js';
import { Api, aTask, type Person } from './support/api.js';
import type { Route } from './support/contract.js';
import { deadLetterOf } from './support/dead-letter.js';
import { redeliverPath } from './support/deliveries.js';
import { interactiveRun } from './support/interactive-run.js';

let api: Api;

beforeAll(async () => {
  api = await Api.start();
});
afterAll(() => api.close());

/** An object of each collection that a request can change once. */
const THINGS: Record<string, (who: Person) => Promise<string>> = {
  tasks: async (who) => (await who.createTask()).id,
  executions: async (who) => (await who.startExternal({ max_parallel: 2 })).id,
  batches: async (who) => (await ok(who.api.POST('/api/v1/batches', { body: { items: [aTask] } }))).id,
  keys: async (who) => (await who.ok('POST', '/keys', { name: 'ci', scopes: ['tasks:read'] })).id,
  webhooks: async (who) => (await who.ok('POST', '/webhooks', { url: 'https://example.com' })).id,
  'dead-letters': (who) => deadLetterOf(api, who),
};

async function pathFor(who: Person, template: string): Promise<string> {
  if (template.endsWith('/stdin')) return `${template.replace('{id}', await interactiveRun(api, who))}?eof=true`;
  if (template.endsWith('/redeliver')) return `/api/v1${await redeliverPath(api, who)}`;
  const collection = /([^/]+)\/\{id\}/.exec(template)?.[1];
  return collection === undefined ? template : template.replace('{id}', await THINGS[collection]!(who));
}

/** Requests of axios and `curl -d ''` without data: a type, and no content. */
function send(who: Person, method: string, path: string, headers: Record<string, string>): Promise<[number, string]> {
  return new Promise((resolve, reject) => {
    const authorization = `Bearer ${who.token}`;
    const sent = request(`${api.service.url}${path}`, { method, headers: { authorization, ...headers } }, (answer) => {
      answer.setEncoding('utf8');
      let text = '';
      answer.on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => resolve([answer.statusCode!, text]));
    });
    sent.on('error', reject);
    sent.end();
  });
}

const HEADERS: Record<string, string>[] = [
  { 'content-type': 'application/x-www-form-urlencoded', 'content-length': '0' },
  { 'content-type': 'application/x-www-form-urlencoded' },
  { 'content-type': 'text/plain;charset=UTF-8', 'content-length': '0' },
  { 'content-type': 'multipart/form-data; boundary=x', 'transfer-encoding': 'chunked' },
  { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
  { 'content-type': 'nonsense', 'content-length': '0' },
  { 'content-type': 'application/json', 'content-encoding': 'gzip', 'content-length': '0' },
];

test('a Content-Type without content is ignored on every route', async () => {
  const isWrite = ({ method }: Route): boolean => method !== 'GET';
  const routes = api.contract.routes.filter(isWrite);
  expect(routes.map(({ operation }) => operation.operationId)).toEqual(
    expect.arrayContaining(['logout', 'startExecution', 'redriveDeadLetter', 'cancelExecution', 'deleteTask']),
  );
  for (const { method, path, operation } of routes) {
    const needsBody = operation.requestBody?.required === true;
    for (const headers of HEADERS) {
      // A new user each time: one of the routes is the logout.
      const who = await api.register();
      const [status, text] = await send(who, method, await pathFor(who, path), headers);
      const outcome = status < 300 ? 'done' : (JSON.parse(text) as { error: string }).error;
      expect([method, path, headers, outcome]).toEqual([
        method,
        path,
        headers,
        needsBody ? 'Validation failed' : 'done',
      ]);
    }
  }
});

test('a logout with a Content-Type and no content ends the session', async () => {
  const who = await api.register();
  const [status] = await send(who, 'POST', '/api/v1/auth/logout', HEADERS[0]!);
  expect([status, (await who.client.request('GET', '/auth/me')).status]).toEqual([200, 401]);
});
