import fc from 'fast-check';

import { makeApiDocument } from '../../support/api-document.js';
import { Api, aTask } from './support/api.js';
import { asksForToken, Contract, type OpenApi, type Route } from './support/contract.js';
import { boundaries } from './support/fuzz/boundary-values.js';
import { breaks } from './support/fuzz/broken-values.js';
import { ChangedValues } from './support/fuzz/changed-values.js';
import type { JsonSchema, Schemas } from './support/fuzz/json-schema.js';
import { PROMISES } from './support/fuzz/promises.js';
import { requestsOf } from './support/fuzz/requests.js';
import { ValidValues } from './support/fuzz/valid-values.js';
import { Walk } from './support/fuzz/walk.js';

/** Requests per operation; each takes about 15 ms. Bodies have more possible faults. */
const RUNS = 40;
const RUNS_WITH_BODY = 100;
/** From the report of a failure, to repeat it; and a larger number of requests for a long search. */
const { FUZZ_SEED, FUZZ_PATH, FUZZ_RUNS } = process.env;
/** Before jest stops the test, so that a failure is still reported. */
const LIMIT_MS = 150_000;
const PARAMETERS: fc.Parameters<unknown> = {
  interruptAfterTimeLimit: LIMIT_MS,
  markInterruptAsFailure: true,
  ...(FUZZ_SEED !== undefined && { seed: Number(FUZZ_SEED) }),
  ...(FUZZ_PATH !== undefined && { path: FUZZ_PATH }),
};

// The served document: openapi.test.ts compares the two.
const contract = new Contract((await makeApiDocument()) as unknown as OpenApi);
const { routes } = contract;
const schemas = contract.document.components.schemas as Schemas;
/** Without a worker the service reports that it is not ready. */
const A_WORKER = {
  workerId: 'idle',
  running: [],
  figures: { slots: 1, healthy: true, succeeded: 0, failed: 0, totalMs: 0 },
};
/** Longer than the tests of this file take. */
const ALIVE_MS = 3_600_000;

let api: Api;
let walk: Walk;

beforeAll(async () => {
  // Without an orchestrator: executions reported with an old start must not time out during another request, and the
  // worker, which is only a heartbeat, must not be treated as dead.
  api = await Api.start({ VOIDRUNNER_ROLES: 'api,relay,projector,sealer', WEBHOOKS_PER_USER_MAX: '10000' });
  walk = await Walk.of(api);
  await queue().workerHeartbeat(A_WORKER, ALIVE_MS);
});
afterAll(async () => {
  await queue().workerGone(A_WORKER.workerId);
  await api.close();
});

/** Of those that take JSON. */
function bodySchemasOf({ operation }: Route): [string, JsonSchema][] {
  const schema = operation.requestBody?.content['application/json']?.schema;
  return schema ? [[operation.operationId!, schema as JsonSchema]] : [];
}

const queue = () => api.service.processes[0]!.infra.queue;

test('for each operation that may change something, the test states what its response promises', () => {
  const writes = routes.filter(({ method }) => method !== 'GET').map(({ operation }) => operation.operationId);
  expect(Object.keys(PROMISES).toSorted()).toEqual(writes.toSorted());
});

test.each(routes.flatMap(bodySchemasOf))(
  'for %s: generated valid requests are valid, and most mutated ones are not',
  (_, schema) => {
    const accepts = (value: unknown): boolean => contract.accepts(schema, JSON.parse(JSON.stringify(value)));
    const valid = new ValidValues(schemas);
    fc.assert(fc.property(valid.of(schema), accepts));
    for (const change of [boundaries, breaks]) {
      const changes = new ChangedValues(valid, change);
      // A flag has no bounds.
      if (change === boundaries && !changes.canChange(schema)) continue;
      expect(new Set(fc.sample(changes.of(schema), 100).map(accepts))).toContain(false);
    }
  },
);

test.each(routes.map((route) => [route.operation.operationId!, route] as const))(
  '%s responds as documented to any request, and records what the response promises',
  async (_, route) => {
    const requests = requestsOf(route, schemas);
    const property = fc.asyncProperty(requests, (request) => walk.send(route, request));
    const numRuns = Number(FUZZ_RUNS ?? (route.operation.requestBody ? RUNS_WITH_BODY : RUNS));
    await fc.assert(property, { ...PARAMETERS, numRuns });
  },
);

test('each operation has accepted some requests, and refused some', () => {
  const rows = routes.map(({ operation }) => {
    const operationId = operation.operationId;
    const { requests, done, refused } = walk.tallies.get(operationId!)!;
    return {
      operation: operationId,
      requests,
      done,
      refused,
      enough: done > 0 && (refused > 0 || !asksForToken(operation)),
    };
  });
  const lines = rows.map(({ operation, requests, done, refused }) => [operation, requests, done, refused].join(' | '));
  process.stdout.write(`${['operation | requests | 2xx | 4xx', ...lines].join('\n')}\n`);
  expect(rows.filter(({ enough }) => !enough)).toEqual([]);
});

test('invalid requests do not affect concurrent valid ones', async () => {
  const [ada, bob] = [await api.register(), await api.register()];
  const { id: taskId } = await ada.createTask();
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
