import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

const authorization = 'Bearer good';
const ask = (method: 'GET' | 'HEAD', headers: Record<string, string>, url = '/things/tagged/a') =>
  app.inject({ method, url, headers: { authorization, ...headers } });

describe.each(['GET', 'HEAD'] as const)('%s of a resource with an ETag', (method) => {
  test.each([
    [{ 'if-none-match': '"a"' }, 304],
    [{ 'if-none-match': 'W/"a"' }, 304],
    [{ 'if-none-match': '"b", W/"a"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"b"' }, 200],
    [{ 'if-match': '"a"' }, 200],
    [{ 'if-match': '*' }, 200],
    [{ 'if-match': '"b", "a"' }, 200],
    [{ 'if-match': 'W/"a"' }, 412],
    [{ 'if-match': '"b"' }, 412],
    [{ 'if-match': '"a"', 'if-none-match': '"a"' }, 304],
    [{ 'if-match': '"b"', 'if-none-match': '"a"' }, 412],
    [{ 'if-none-match': 'a' }, 400],
    [{ 'if-match': '"a' }, 400],
    [{ 'if-match': '' }, 400],
    // No response has a Last-Modified.
    [{ 'if-modified-since': 'Sat, 01 Jan 2050 00:00:00 GMT' }, 200],
    [{ 'if-unmodified-since': 'Sat, 01 Jan 2000 00:00:00 GMT' }, 200],
  ])('with %j is a %i', async (conditions, status) => {
    const answer = await ask(method, conditions);
    expect(answer.statusCode).toBe(status);
    expect(answer.headers.etag).toBe(status < 400 ? '"a"' : undefined);
    expect(answer.headers['x-request-id']).toBeDefined();
    if (status === 304) {
      expect(answer.payload).toBe('');
      expect(answer.headers).not.toHaveProperty('content-type');
      // The headers of a GET, or none (RFC 9110, section 8.6).
      expect(answer.headers['content-length']).toBe(method === 'HEAD' ? '11' : undefined);
    }
    if (status >= 400 && method === 'GET') {
      expect(answer.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(answer.json()).toMatchObject({ status, request_id: answer.headers['x-request-id'] });
    }
  });

  test('a client without access learns nothing about the tag', async () => {
    const answer = await ask(method, { authorization: 'Bearer bad', 'if-none-match': '*' });
    expect([answer.statusCode, answer.headers.etag]).toEqual([401, undefined]);
  });

  test('conditions on a response without a tag are ignored', async () => {
    expect((await ask(method, { 'if-none-match': '*', 'if-match': '"x"' }, '/things')).statusCode).toBe(200);
    expect((await ask(method, { 'if-none-match': '*' }, '/things/fails/conflict')).statusCode).toBe(409);
  });
});
