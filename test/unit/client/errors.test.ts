import {
  ApiError,
  AuthenticationError,
  ConflictError,
  InvalidResponseError,
  NotFoundError,
  PermissionError,
  RateLimitError,
  UnavailableError,
  ValidationError,
  VoidRunner,
  VoidRunnerError,
} from '@voidrunner/client';

import { complete, empty, json, problem, type Reply, ScriptedServer, text } from '../../support/scripted-server.js';

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
beforeEach(() => server.forget());
afterAll(() => server.close());

async function errorOf(reply: Reply): Promise<ApiError> {
  server.on('GET /api/v1/tasks/a', reply);
  const vr = new VoidRunner({ baseUrl: server.url, apiKey: 'vr_secret', maxRetries: 0 });
  return vr.tasks.get('a').then(
    () => {
      throw new Error('it must fail');
    },
    (error: unknown) => error as ApiError,
  );
}

test.each<[number, abstract new (...args: never[]) => ApiError]>([
  [400, ValidationError],
  [401, AuthenticationError],
  [403, PermissionError],
  [404, NotFoundError],
  [409, ConflictError],
  [410, ApiError],
  [412, ConflictError],
  [422, ValidationError],
  [429, RateLimitError],
  [500, ApiError],
  [502, UnavailableError],
  [503, UnavailableError],
  [504, UnavailableError],
])('a %i is a %p', async (status, type) => {
  const error = await errorOf(problem(status, 'some_code'));
  expect(error.constructor).toBe(type);
  expect(error).toBeInstanceOf(VoidRunnerError);
  expect(error.name).toBe(type.name);
  expect(error).toMatchObject({
    ...{ status, code: 'some_code', detail: 'It is some_code', message: 'It is some_code', requestId: 'request-1' },
    problem: { type: 'urn:voidrunner:problem:some_code', status },
  });
});

test('a validation error names the fields', async () => {
  const faults = [
    { field: 'name', value: '', tag: 'min', message: 'at least 1 character' },
    { field: 'priority', value: '11', tag: 'max', message: 'at most 10' },
  ];
  const error = await errorOf(problem(400, 'validation_failed', {}, { validation_errors: faults }));
  expect((error as ValidationError).errors).toEqual(faults);
  expect(error.message).toBe('It is validation_failed: name: at least 1 character; priority: at most 10');
});

test('a page of a proxy is an error without a problem', async () => {
  const error = await errorOf(text(502, '<h1>Bad Gateway</h1>', { 'x-request-id': 'of-the-proxy' }));
  expect(error).toBeInstanceOf(UnavailableError);
  expect(error).toMatchObject({ code: 'http_502', detail: 'Bad Gateway', problem: null, requestId: 'of-the-proxy' });
});

test('an error without content', async () => {
  const error = await errorOf((response) => response.writeHead(404, { 'content-length': '0' }).end());
  expect(error).toBeInstanceOf(NotFoundError);
  expect(error).toMatchObject({ code: 'http_404', detail: 'Not Found', problem: null, requestId: null });
});

test.each<[string, Reply]>([
  ['a page', text(200, '<h1>Welcome to the hotel</h1>')],
  ['half a body', complete('application/json', '{"id": "a"')],
  ['no content', empty],
  ['an empty body', complete('application/json')],
  ['a number', json(200, 1)],
  ['null', json(200, null)],
])('a success with %s is no response of the API', async (_, reply) => {
  expect(await errorOf(reply)).toBeInstanceOf(InvalidResponseError);
});

test('no error shows the credential', async () => {
  for (const reply of [problem(401, 'unauthorized'), text(502, 'x'), empty]) {
    const error = await errorOf(reply);
    expect(JSON.stringify({ ...error, message: error.message, stack: error.stack })).not.toContain('vr_secret');
  }
});
