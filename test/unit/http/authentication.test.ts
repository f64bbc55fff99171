import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

describe('authentication', () => {
  test.each([
    [undefined, 'authorization header required'],
    ['', 'authorization header required'],
    ['good', 'Invalid or expired token'],
    ['Basic Z29vZA==', 'Invalid or expired token'],
    ['Bearer', 'Invalid or expired token'],
    ['Bearer a b', 'Invalid or expired token'],
    ['Bearer bad', 'Invalid or expired token'],
  ])('with %p is a 401', async (header, error) => {
    const headers = header === undefined ? {} : { authorization: header };
    const response = await app.inject({ method: 'GET', url: '/things/me', headers });
    expect(response.statusCode).toBe(401);
    expect(response.json()).toMatchObject({ error });
    expect(response.headers['www-authenticate']).toMatch(/^Bearer realm="voidrunner"/);
  });

  test('identifies the caller; the scheme is case-insensitive', async () => {
    const response = await app.get('/things/me', { authorization: 'bearer good', 'x-request-id': 'r.1' });
    expect(response.json()).toEqual({ userId: 'u1', sessionId: 's1', isAdmin: false, key: null, requestId: 'r.1' });
  });

  test('takes one credential, which may be in both headers', async () => {
    const statusOf = async (authorization: string, key: string) =>
      (await app.get('/things/me', { authorization, 'x-api-key': key })).statusCode;
    expect(await statusOf('Bearer good', 'good')).toBe(200);
    expect(await statusOf('Bearer good', '')).toBe(200);
    expect(await statusOf('Bearer bad', 'bad')).toBe(401);
    for (const authorization of ['Bearer bad', 'Bearer goo', 'Basic good', 'good', 'Bearer']) {
      expect(await statusOf(authorization, 'good')).toBe(400);
    }
  });

  test('comes before the body is read, and a browser may read the refusal', async () => {
    for (const [payload, type] of [
      ['{', 'application/json'],
      ['x', 'text/plain'],
      ['x'.repeat(2 * 1024 ** 2), 'application/json'],
    ]) {
      const headers = { 'content-type': type!, origin: 'https://app.example' };
      const response = await app.inject({ method: 'POST', url: '/things', headers, payload: payload! });
      expect(response.statusCode).toBe(401);
      expect(response.headers['access-control-allow-origin']).toBe('https://app.example');
    }
  });

  test('is required on every route that does not declare otherwise', async () => {
    for (const url of ['/things', '/raw']) expect((await app.inject({ method: 'GET', url })).statusCode).toBe(401);
    expect((await app.get('/raw')).json()).toEqual({ raw: true });
    expect((await app.inject({ method: 'GET', url: '/open/health' })).statusCode).toBe(200);
  });

  test('that cannot be checked is a 503, not a 401', async () => {
    expect((await app.get('/things/me', { authorization: 'Bearer away' })).statusCode).toBe(503);
  });
});
