import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

test('a limit refuses, says when to come back, and counts per address', async () => {
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
