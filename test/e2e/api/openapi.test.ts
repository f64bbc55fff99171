import { z } from 'zod';

import { createBatchBody } from '../../../src/tasks/api/batch-schemas.js';
import { rerunBody, startExecutionBody } from '../../../src/tasks/api/execution-schemas.js';
import { reportBody } from '../../../src/tasks/api/report-schemas.js';
import { rerunManyBody } from '../../../src/tasks/api/rerun-batch-schemas.js';
import { createTaskBody, updateTaskBody } from '../../../src/tasks/api/task-schemas.js';
import { makeApiDocument } from '../../support/api-document.js';
import { Api, aTask } from './support/api.js';
import { asksForToken } from './support/contract.js';

/** Every implemented route of API.md. */
const ROUTES = [
  'DELETE /api/v1/auth/me',
  'DELETE /api/v1/batches/{id}',
  'DELETE /api/v1/dead-letters/{id}',
  'DELETE /api/v1/executions/{id}',
  'DELETE /api/v1/keys/{id}',
  'DELETE /api/v1/tasks/{id}',
  'DELETE /api/v1/webhooks/{id}',
  'GET /api/v1/auth/me',
  'GET /api/v1/batches',
  'GET /api/v1/batches/{id}',
  'GET /api/v1/dead-letters',
  'GET /api/v1/dead-letters/{id}',
  'GET /api/v1/executions',
  'GET /api/v1/executions/{id}',
  'GET /api/v1/executions/{id}/events',
  'GET /api/v1/executions/{id}/files/{path}',
  'GET /api/v1/executions/{id}/output/{stream}',
  'GET /api/v1/keys',
  'GET /api/v1/keys/{id}',
  'GET /api/v1/log/checkpoints/latest',
  'GET /api/v1/log/consistency',
  'GET /api/v1/log/key',
  'GET /api/v1/ping',
  'GET /api/v1/runtimes',
  'GET /api/v1/tasks',
  'GET /api/v1/tasks/{id}',
  'GET /api/v1/tasks/{id}/events',
  'GET /api/v1/tasks/{id}/executions',
  'GET /api/v1/webhooks',
  'GET /api/v1/webhooks/{id}',
  'GET /api/v1/webhooks/{id}/deliveries',
  'GET /health',
  'GET /health/workers',
  'GET /ready',
  'POST /api/v1/auth/login',
  'POST /api/v1/auth/logout',
  'POST /api/v1/auth/password',
  'POST /api/v1/auth/refresh',
  'POST /api/v1/auth/register',
  'POST /api/v1/batches',
  'POST /api/v1/dead-letters/{id}/redrive',
  'POST /api/v1/executions',
  'POST /api/v1/executions/rerun',
  'POST /api/v1/executions/{id}/rerun',
  'POST /api/v1/executions/{id}/stdin',
  'POST /api/v1/keys',
  'POST /api/v1/tasks',
  'POST /api/v1/tasks/{id}/executions',
  'POST /api/v1/webhooks',
  'POST /api/v1/webhooks/{id}/deliveries/{delivery}/redeliver',
  'POST /api/v1/webhooks/{id}/rotate-secret',
  'POST /api/v1/webhooks/{id}/test',
  'PUT /api/v1/executions/{id}',
  'PUT /api/v1/tasks/{id}',
  'PUT /api/v1/webhooks/{id}',
];
/** Only for a person who has logged in: they take no API key. */
const PERSONAL = /\/(auth|keys)(\/|$)/;
const PUBLIC =
  /\/(ping|health|health\/workers|ready|login|refresh|register|runtimes|log\/(key|consistency|checkpoints\/latest))$/;

/** The OpenAPI 3.0.3 rules that this document uses: the allowed members of each object, and no others. */
const schemaObject = z.record(z.string(), z.unknown());
const content = z.record(z.string().regex(/^([\w.+-]+\/[\w.+-]+|\*\/\*)$/), z.strictObject({ schema: schemaObject }));
const operation = z.strictObject({
  operationId: z.string().regex(/^[a-zA-Z]+$/),
  summary: z.string().min(3),
  description: z.string(),
  tags: z.array(z.string()).min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(
    z.discriminatedUnion('in', [
      z.strictObject({
        in: z.literal('path'),
        name: z.string(),
        required: z.literal(true),
        description: z.string(),
        schema: schemaObject,
      }),
      z.strictObject({
        in: z.enum(['query', 'header']),
        name: z.string(),
        required: z.boolean().optional(),
        description: z.string(),
        schema: schemaObject,
      }),
    ]),
  ),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z.record(
    z.string().regex(/^[1-5]\d\d$/),
    z.strictObject({ description: z.string().min(1), content: content.optional(), headers: schemaObject.optional() }),
  ),
});
const openApi = z.object({
  openapi: z.string().regex(/^3\.0\.\d$/),
  info: z.looseObject({ title: z.string(), version: z.string().regex(/^\d+\.\d+\.\d+/) }),
  servers: z.array(z.looseObject({ url: z.string() })),
  paths: z.record(z.string().startsWith('/'), z.partialRecord(z.enum(['get', 'put', 'post', 'delete']), operation)),
  components: z.strictObject({
    headers: z.record(
      z.string(),
      z.strictObject({
        description: z.string().min(3),
        required: z.boolean().optional(),
        schema: schemaObject,
      }),
    ),
    schemas: z.record(z.string().regex(/^[A-Z][A-Za-z]*$/), schemaObject),
    securitySchemes: z.object({
      bearer: z.object({ type: z.literal('http'), scheme: z.literal('bearer') }),
      api_key: z.object({ type: z.literal('apiKey'), in: z.literal('header'), name: z.literal('X-API-Key') }),
    }),
  }),
});

let api: Api;

beforeAll(async () => {
  api = await Api.start({ VOIDRUNNER_ROLES: 'api' });
});
afterAll(() => api.close());

test('the document is OpenAPI 3.0', () => {
  expect(openApi.safeParse(api.contract.document).error?.issues ?? []).toEqual([]);
});

test('the document is the one that the unit tests and the generated client use', async () => {
  expect(api.contract.document).toEqual(await makeApiDocument());
});

test('the document contains every route, and no other', () => {
  expect(api.contract.routes.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(ROUTES);
});

test('operation ids are unique', () => {
  const names = api.contract.routes.map(({ operation: { operationId } }) => operationId);
  expect(new Set(names).size).toBe(names.length);
});

test.each(ROUTES)('%s documents its request and its responses', (route) => {
  const { method, path, operation } = api.contract.routes.find((each) => `${each.method} ${each.path}` === route)!;
  const inPath = operation.parameters!.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`);
  expect(inPath).toEqual(path.match(/\{\w+\}/g) ?? []);
  const keys = PERSONAL.test(path) ? [] : [{ api_key: [] }];
  const security = PUBLIC.test(path) ? [] : [{ bearer: [] }, ...keys];
  expect(operation.security).toHaveLength(security.length);
  expect(operation.security).toEqual(expect.arrayContaining(security));

  const statuses = Object.keys(operation.responses);
  const isStream = path.endsWith('/executions/{id}/events');
  const mayBePart = path.includes('/files/');
  expect(statuses.filter((status) => status.startsWith('2'))).toHaveLength(isStream || mayBePart ? 2 : 1);
  const expected = [
    // A response to an unreadable request, on any route: a query, an id, an unexpected body.
    ...['400', ...(inPath.length > 0 ? ['414'] : []), ...(method === 'GET' ? [] : ['408', '413', '415'])],
    ...(asksForToken(operation) ? ['401', '429', '503'] : []),
    ...(inPath.length > 0 ? ['403', '404'] : []),
  ];
  expect(statuses).toEqual(expect.arrayContaining(expected));
  for (const [status, response] of Object.entries(operation.responses)) {
    const isProblem = Number(status) >= 400 && !(path === '/ready' && status === '503');
    const types = Object.keys(response.content ?? {});
    if (isProblem) expect(types).toEqual(['application/problem+json']);
    else if (status === '204' || status === '304') expect(types).toEqual([]);
    else if (isStream) expect(types).toEqual(['application/json', 'text/event-stream']);
    else if (mayBePart) expect(types).toEqual(['*/*']);
    else expect(types).toEqual([path.includes('/output/') ? 'application/octet-stream' : 'application/json']);
  }
  const bodyless = /\/(redrive|redeliver|test|rotate-secret)$/;
  const takesBody = path.endsWith('/auth/me') ? method === 'DELETE' : method.startsWith('P') && !bodyless.test(path);
  expect(operation.requestBody !== undefined).toBe(takesBody);
});

test('every reference resolves, and every component is used', () => {
  const text = JSON.stringify(api.contract.document);
  const { schemas, headers } = api.contract.document.components;
  for (const [kind, all] of Object.entries({ schemas, headers })) {
    const references = text.matchAll(new RegExp(`"\\$ref":"#/components/${kind}/([^"]+)"`, 'g'));
    expect([...new Set([...references].map((match) => match[1]))].toSorted()).toEqual(Object.keys(all).toSorted());
  }
  expect(text.match(/"\$ref":"(?!#\/components\/(schemas|headers)\/)/)).toBeNull();
});

test('lists are documented in both forms', () => {
  const schemas = api.contract.document.components.schemas as Record<string, { anyOf?: { required: string[] }[] }>;
  const shapes = (name: string) => schemas[name]!.anyOf!.map(({ required }) => required);
  for (const [name, items] of Object.entries({
    TaskList: 'tasks',
    ExecutionList: 'executions',
    BatchList: 'batches',
  })) {
    expect(shapes(name)).toEqual([
      [items, 'total', 'limit', 'offset'],
      [items, 'pagination', 'limit', 'sort_field', 'sort_order'],
    ]);
  }
});

const BODIES = {
  ...{ createBatchBody, createTaskBody, updateTaskBody, startExecutionBody },
  ...{ rerunBody, rerunManyBody, reportBody },
};

test.each([
  ['POST', '/api/v1/tasks', 'createTaskBody', true],
  ['POST', '/api/v1/batches', 'createBatchBody', true],
  ['PUT', '/api/v1/tasks/{id}', 'updateTaskBody', true],
  ['POST', '/api/v1/tasks/{id}/executions', 'startExecutionBody', false],
  ['POST', '/api/v1/executions/{id}/rerun', 'rerunBody', false],
  ['POST', '/api/v1/executions/rerun', 'rerunManyBody', true],
  ['PUT', '/api/v1/executions/{id}', 'reportBody', true],
] as const)('%s %s: the document and the validation agree on bodies', (method, path, name, required) => {
  const { requestBody } = api.contract.routes.find((each) => each.method === method && each.path === path)!.operation;
  expect(requestBody!.required).toBe(required);
  const schema = requestBody!.content['application/json']!.schema!;
  const bodies = [
    {},
    aTask,
    { ...aTask, priority: 11 },
    { ...aTask, unknown: 1 },
    { priority: 0 },
    { retry: { max_attempts: 11 } },
    { input: { args: ['a'] } },
    { input: { stdin: 1 } },
    { items: [aTask, { ...aTask, input: { args: ['a'] } }] },
    { items: [{ ...aTask, executor: 'external' }] },
    { items: [] },
    { executor: 'elsewhere' },
    { definition: 'current', overrides: { priority: 1 } },
    { overrides: { input: {} } },
    { filter: {} },
    { filter: { status: 'failed', since: '2026-01-01T00:00:00+02:00' }, definition: 'current', limit: 1_000 },
    { filter: { status: 'running' } },
    { filter: {}, limit: 1_001 },
    { status: 'running' },
    { status: 'completed', return_code: 256 },
    { status: 'failed', return_code: 1, stdout: 'x', completed_at: '2026-01-01T00:00:00+02:00' },
    { status: 'pending' },
    [],
    'text',
    null,
  ];
  for (const body of bodies) {
    expect([body, api.contract.accepts(schema, body)]).toEqual([body, BODIES[name].safeParse(body).success]);
  }
});

test('the page shows the document, loaded only from its own origin', async () => {
  const get = async (path: string) => await fetch(api.service.url + path);
  const page = await get('/docs');
  expect(page.status).toBe(200);
  expect(page.headers.get('content-type')).toContain('text/html');
  expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
  const sources = [...(await page.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1]!);
  expect(sources).toContain('/docs/swagger-ui-bundle.js');
  for (const source of sources) expect((await get(source)).status).toBe(200);
  expect(await (await get('/docs/init.js')).text()).toContain("url: '/docs/json'");
  expect(await (await get('/swagger.json')).json()).toEqual(api.contract.document);
  expect(await (await get('/api')).json()).toMatchObject({ base_path: '/api/v1', documentation: '/docs' });
});
