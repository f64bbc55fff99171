import type { OpenAPIObject } from '@nestjs/swagger';

import { applyMaxima } from '../../../src/http/docs/request-bodies.js';
import { makeApiDocument } from '../../support/api-document.js';

const ASKED = ['CreateTask', 'UpdateTask', 'RunOnce'];
let document: OpenAPIObject;

beforeAll(async () => {
  document = await makeApiDocument();
});

const propertiesOf = (of: OpenAPIObject, name: string) =>
  (of.components!.schemas![name] as { properties: any }).properties;

test('the maxima are the operator’s settings', async () => {
  const own = await makeApiDocument({
    EXECUTOR_MEMORY_MB_MAX: '2048',
    EXECUTOR_CPUS_MAX: '2.5',
    EXECUTOR_PIDS_MAX: '1000',
    EXECUTOR_TIMEOUT_MAX: '2h',
  });
  for (const name of ASKED) {
    const limits = { memory_mb: { maximum: 2_048 }, cpus: { maximum: 2.5 }, pids: { maximum: 1_000 } };
    expect(propertiesOf(own, name)).toMatchObject({
      timeout_seconds: { maximum: 7_200 },
      limits: { properties: limits },
    });
  }
});

test('responses have no maximum: an older task may exceed it', () => {
  expect(propertiesOf(document, 'Task').timeout_seconds).not.toHaveProperty('maximum');
});

test('a maximum of an unknown field is a bug', () => {
  expect(() => applyMaxima(structuredClone(document), { 'limits.gpus': 1 })).toThrow('limits.gpus');
});

test('no request schema has a default', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path) as any[]);
  const parameters = operations.flatMap((operation) => operation.parameters.map(({ schema }: any) => schema));
  const bodies = operations.flatMap(({ requestBody }) => Object.values<any>(requestBody?.content ?? {}));
  // A body of bytes has a schema of its own.
  const names = bodies.flatMap(({ schema }) => (schema.$ref ? [schema.$ref.split('/').at(-1) as string] : []));
  const text = JSON.stringify([parameters, bodies, names.map((name) => document.components!.schemas![name])]);
  expect(text).not.toContain('"default"');
  expect(names).toContain('CreateTask');
});

test('only task fields without a default are required', () => {
  const required = (name: string) => (document.components!.schemas![name] as { required?: string[] }).required;
  expect(required('CreateTask')).toEqual(['name', 'script_content', 'script_type']);
  expect(required('RunOnce')).toEqual(['name', 'script_content', 'script_type']);
  expect(required('UpdateTask')).toBeUndefined();
  expect(document.paths['/api/v1/tasks/{id}/executions']!.post!.requestBody).toMatchObject({ required: false });
});

test('no schema has a name that a generator derives from an operation', () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path) as { operationId: string }[]);
  const suffixes = ['Body', 'Data', 'Error', 'Errors', 'Header', 'Params', 'QueryParams', 'Response', 'Responses'];
  const derived = operations.flatMap(({ operationId }) =>
    suffixes.map((suffix) => `${operationId[0]!.toUpperCase()}${operationId.slice(1)}${suffix}`),
  );
  expect(derived).toContain('CreateTaskResponse');
  expect(Object.keys(document.components!.schemas!).filter((name) => derived.includes(name))).toEqual([]);
});

test('responses document their headers', () => {
  const headersOf = (path: string, method: 'get' | 'post' | 'put', status: string) =>
    Object.keys((document.paths[path]![method]!.responses[status] as { headers: object }).headers);
  const created = headersOf('/api/v1/tasks', 'post', '201');
  expect(created).toEqual(expect.arrayContaining(['Location', 'ETag', 'Idempotent-Replayed', 'RateLimit-Limit']));
  expect(headersOf('/api/v1/tasks', 'post', '429')).toContain('Retry-After');
  expect(headersOf('/api/v1/tasks', 'post', '503')).toContain('Retry-After');
  expect(headersOf('/api/v1/tasks', 'post', '401')).toContain('WWW-Authenticate');
  expect(headersOf('/api/v1/tasks/{id}', 'get', '200')).toContain('ETag');
  expect(headersOf('/ready', 'get', '503')).toEqual(['X-Request-ID']);
});
