import { SECRET, ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

describe('an error', () => {
  test('has the one shape', async () => {
    const response = await app.get('/things/fails/conflict?secret=1', { 'x-request-id': 'abc-1' });
    expect(response.statusCode).toBe(409);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(response.json()).toEqual({
      type: 'urn:voidrunner:problem:task_running',
      title: 'Conflict',
      status: 409,
      detail: 'Task is running',
      instance: '/things/fails/conflict',
      request_id: 'abc-1',
      error: 'Task is running',
    });
  });

  test.each([
    ['forbidden', 403, 'Access denied'],
    ['precondition', 412, 'Changed since'],
    ['outage', 503, 'Service temporarily unavailable'],
    ['bug', 500, 'Internal server error'],
  ])('%s is a %i', async (how, status, error) => {
    const response = await app.get(`/things/fails/${how}`);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, error, detail: error });
    expect(response.payload).not.toContain(SECRET);
    expect(response.payload).not.toContain('.ts');
    expect(response.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
  });
});

describe('an unknown', () => {
  test.each(['/nothing', '/things/a/b', '/', '/things//x'])('route %s is a 404', async (url) => {
    const response = await app.get(url);
    expect(response.statusCode).toBe(404);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.json()).toMatchObject({ status: 404 });
  });

  test('method is a 405 with Allow', async () => {
    const response = await app.inject({ method: 'PUT', url: '/things/x?a=1', payload: {} });
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow).toBe('DELETE, GET, HEAD');
    expect(response.json()).toMatchObject({ error: 'Method not allowed' });
    expect((await app.inject({ method: 'OPTIONS', url: '/things' })).statusCode).toBe(204);
  });
});
