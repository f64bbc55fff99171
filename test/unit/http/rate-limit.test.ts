import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

test('a limit refuses, says when to try again, and counts per address', async () => {
  const open = (remoteAddress: string) => app.inject({ method: 'GET', url: '/open', remoteAddress });
  const first = await open('10.0.0.1');
  expect(first.headers).toMatchObject({ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' });
  await open('10.0.0.1');
  const refused = await open('10.0.0.1');
  expect(refused.statusCode).toBe(429);
  expect(refused.json()).toMatchObject({ error: 'Rate limit exceeded', retry_after: expect.any(Number) });
  expect(refused.headers['retry-after']).toBe(String(refused.json().retry_after));
  expect(refused.headers['ratelimit-remaining']).toBe('0');
  expect((await open('10.0.0.2')).statusCode).toBe(200);
});

describe('a limit that needs the body', () => {
  const login = (payload: string) =>
    app.inject({ method: 'POST', url: '/open', headers: { 'content-type': 'application/json' }, payload });

  test('counts by a field of the body', async () => {
    const statuses = [];
    for (let count = 0; count < 11; count += 1) statuses.push((await login('{"name":"ada"}')).statusCode);
    expect(statuses).toEqual([...Array<number>(10).fill(201), 429]);
    expect((await login('{"name":"bob"}')).headers['ratelimit-remaining']).toBe('9');
  });

  test('is not checked if the body cannot be read', async () => {
    expect((await login('{"name":"ada"')).statusCode).toBe(400);
  });
});
