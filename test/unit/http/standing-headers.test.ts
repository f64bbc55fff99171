import { ThingApp } from '../../support/thing-app.js';

let app: ThingApp;

beforeAll(async () => {
  app = await ThingApp.start();
});
afterAll(() => app.close());

describe('every response', () => {
  test.each(['/things', '/nothing', '/things/fails/bug'])('to %s has the security headers', async (url) => {
    const { headers } = await app.get(url, { 'x-forwarded-proto': 'https' });
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'x-frame-options': 'DENY',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    // No proxy is trusted here, so no header makes this TLS.
    expect(headers).not.toHaveProperty('strict-transport-security');
  });

  test.each(['bad id', 'x'.repeat(129), 'é'])('replaces the request id %p', async (id) => {
    expect((await app.get('/things', { 'x-request-id': id })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('allows the configured origins, and no others', async () => {
    const named = await app.get('/things', { origin: 'https://app.example' });
    expect(named.headers['access-control-allow-origin']).toBe('https://app.example');
    expect(named.headers['access-control-allow-credentials']).toBe('true');
    const other = await app.get('/things', { origin: 'https://evil.example' });
    expect(other.headers).not.toHaveProperty('access-control-allow-origin');
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/things',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-headers']).toContain('Idempotency-Key');
  });
});
