import { Body, Controller, Delete, Get, HttpCode, Module, Param, Post, Query } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { z } from 'zod';

import { DomainError, Unavailable } from '../../../src/kernel/errors.js';
import { AccessTokens, Public } from '../../../src/platform/http/auth-guard.js';
import { BODY_WITH_INPUT_BYTES_MAX } from '../../../src/platform/http/body-parser.js';
import { createHttpApp } from '../../../src/platform/http/create-http-app.js';
import { MemoryRateLimiter } from '../../../src/platform/http/rate-limit/memory-rate-limiter.js';
import { byAddress, RateLimited } from '../../../src/platform/http/rate-limit/rate-limit-guard.js';
import { Caller, type CallerContext, type CallerIdentity } from '../../../src/platform/http/request-context.js';
import { BodyLimit } from '../../../src/platform/http/route-options.js';
import { uuidParam } from '../../../src/platform/http/validation/params.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const thingSchema = z.strictObject({
  name: z.string().min(1).max(5),
  priority: z.int().min(0).max(10).optional(),
  kind: z.enum(['a', 'b']).optional(),
  password: z.string().min(8).optional(),
  retry: z.strictObject({ max_attempts: z.int().max(10) }).optional(),
});
type Thing = z.output<typeof thingSchema>;
const pageSchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  q: z.string().optional(),
});

const SECRET = 'a line of SQL that nobody may see';

@Controller('things')
class ThingController {
  @Post()
  create(@Body({ schema: thingSchema }) thing: Thing): Thing {
    return thing;
  }

  @Post('large')
  @HttpCode(200)
  @BodyLimit(BODY_WITH_INPUT_BYTES_MAX)
  large(@Body({ schema: z.strictObject({ text: z.string() }) }) body: { text: string }) {
    return { chars: body.text.length };
  }

  @Post('optional')
  optional(@Body({ schema: z.strictObject({ stdin: z.string() }).partial().optional() }) body: unknown) {
    return { body: body ?? null };
  }

  @Get()
  list(@Query({ schema: pageSchema }) page: z.output<typeof pageSchema>) {
    return page;
  }

  @Get('me')
  me(@Caller() caller: CallerContext) {
    return caller;
  }

  @Get('fails/:how')
  fails(@Param('how', { schema: z.string() }) how: string) {
    if (how === 'conflict') throw new DomainError('task_running', 'Task is running', 'conflict');
    if (how === 'precondition') throw new DomainError('etag', 'Changed since', 'precondition_failed');
    if (how === 'forbidden') throw new DomainError('access_denied', 'Access denied', 'forbidden');
    if (how === 'outage') throw new Unavailable('postgres', SECRET);
    throw new Error(SECRET);
  }

  @Get(':id')
  get(@Param('id', uuidParam('Invalid task ID format')) id: string) {
    return { id };
  }

  @Delete(':id')
  remove(@Param('id', uuidParam('Invalid task ID format')) id: string) {
    return { id };
  }
}

@Controller('open')
@Public()
class OpenController {
  @Get()
  @RateLimited({ category: 'register_address', keyOf: byAddress })
  open() {
    return { open: true };
  }
}

class FakeTokens extends AccessTokens {
  async verify(token: string): Promise<CallerIdentity> {
    if (token === 'away') throw new Unavailable('postgres', 'away');
    if (token !== 'good') throw new DomainError('revoked', 'session revoked', 'unauthorized');
    return { userId: 'u1', sessionId: 's1', isAdmin: false };
  }
}

@Module({
  controllers: [ThingController, OpenController],
  providers: [{ provide: AccessTokens, useClass: FakeTokens }],
})
class ThingModule {}

const limits = {
  login_account: 10,
  login_address: 60,
  register_address: 2,
  refresh_address: 60,
  writes: 100_000,
  reads: 100_000,
};

describe('the HTTP platform', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    app = await createHttpApp(ThingModule, {
      log: silentLog,
      rateLimiter: new MemoryRateLimiter(limits),
      corsAllowedOrigins: ['https://app.example'],
    });
    await app.init();
  });
  afterAll(() => app.close());

  const authorization = 'Bearer good';
  const post = (payload: unknown, headers: Record<string, string> = {}, url = '/things') =>
    app.inject({
      method: 'POST',
      url,
      headers: { authorization, 'content-type': 'application/json', ...headers },
      payload: typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload),
    });
  const get = (url: string, headers: Record<string, string> = {}) =>
    app.inject({ method: 'GET', url, headers: { authorization, ...headers } });

  describe('an error', () => {
    test('has the one shape', async () => {
      const response = await get('/things/fails/conflict?secret=1', { 'x-request-id': 'abc-1' });
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
      const response = await get(`/things/fails/${how}`);
      expect(response.statusCode).toBe(status);
      expect(response.json()).toMatchObject({ status, error, detail: error });
      expect(response.payload).not.toContain(SECRET);
      expect(response.payload).not.toContain('.ts');
      expect(response.headers['retry-after']).toBe(status === 503 ? '1' : undefined);
    });
  });

  describe('a body', () => {
    test.each([
      ['missing field', {}, { field: 'name', value: '', tag: 'required', message: 'Required' }],
      ['wrong type', { name: 7 }, { field: 'name', value: '7', tag: 'type' }],
      ['too long', { name: 'x'.repeat(100) }, { field: 'name', value: 'x'.repeat(64), tag: 'max' }],
      ['too small', { name: 'x', priority: -1 }, { field: 'priority', value: '-1', tag: 'min' }],
      ['not one of', { name: 'x', kind: 'c' }, { field: 'kind', value: 'c', tag: 'oneof' }],
      ['a secret', { name: 'x', password: 'hunter2' }, { field: 'password', value: '[redacted]', tag: 'min' }],
      ['unknown', { name: 'x', passwrod: 'hunter2' }, { field: 'passwrod', value: '', tag: 'unknown' }],
      ['nested', { name: 'x', retry: { max_attempts: 11 } }, { field: 'retry.max_attempts', value: '11', tag: 'max' }],
      ['an object where a string belongs', { name: { a: 1 } }, { field: 'name', value: '[object]', tag: 'type' }],
      ['not an object', [1], { field: '', value: '[array]', tag: 'type' }],
      ['NUL', { name: 'a\0b' }, { field: 'name', value: '', tag: 'unicode' }],
      ['NUL in a key', { 'a\0b': 'x' }, { field: '', value: '', tag: 'unicode' }],
    ])('with %s is a 400 that says so', async (_what, body, error) => {
      const response = await post(body);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ error: 'Validation failed', validation_errors: [error] });
      expect(response.payload).not.toContain('hunter2');
    });

    test.each([
      ['malformed', '{"name":', 'Malformed JSON'],
      ['not JSON', 'name=x', 'Malformed JSON'],
      ['a prototype', '{"name":"x","__proto__":{"admin":true}}', 'Malformed JSON'],
      ['not UTF-8', Buffer.from([0x22, 0xff, 0x22]), 'Request body is not UTF-8'],
      ['a lone surrogate', String.raw`{"name":"\ud800"}`, 'Validation failed'],
      ['a megabyte of brackets', '['.repeat(500_000) + ']'.repeat(500_000), 'Validation failed'],
      ['empty', '', 'Validation failed'],
    ])('that is %s is a 400', async (_what, body, error) => {
      const response = await post(body);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ status: 400, error });
    });

    test('of more than 1 MiB is a 413, of 2 MiB where the route takes input', async () => {
      const mebibyte = JSON.stringify({ text: 'x'.repeat(1024 ** 2) });
      expect((await post(mebibyte)).statusCode).toBe(413);
      expect((await post(mebibyte)).json()).toMatchObject({ error: 'Request body is too large' });
      expect((await post(mebibyte, {}, '/things/large')).json()).toEqual({ chars: 1024 ** 2 });
      const more = JSON.stringify({ text: 'x'.repeat(2 * 1024 ** 2) });
      expect((await post(more, {}, '/things/large')).statusCode).toBe(413);
    });

    test.each(['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])(
      'of %s is a 415',
      async (type) => {
        const response = await post('name=x', { 'content-type': type });
        expect(response.statusCode).toBe(415);
        expect(response.json()).toMatchObject({ error: 'Unsupported media type' });
      },
    );

    test('may be left out where it is optional, with and without a content type', async () => {
      expect((await post('', {}, '/things/optional')).json()).toEqual({ body: null });
      const bare = await app.inject({ method: 'POST', url: '/things/optional', headers: { authorization } });
      expect(bare.json()).toEqual({ body: null });
    });

    test('of a thousand unknown fields is answered with fifty lines', async () => {
      const body = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`f${i}`, 1]));
      expect((await post({ name: 'x', ...body })).json().validation_errors).toHaveLength(50);
    });
  });

  describe('a path or query', () => {
    test.each(['x', '1', '%00', 'a'.repeat(1_000), "1'--"])('id %s is not one', async (id) => {
      const response = await get(`/things/${id}`);
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ error: 'Invalid task ID format' });
    });

    test('an id passes in lower case', async () => {
      const id = '0190A5D0-7B1C-7000-8000-00000000000F';
      expect((await get(`/things/${id}`)).json()).toEqual({ id: id.toLowerCase() });
    });

    test.each([
      ['limit=0', 'limit', 'min'],
      ['limit=x', 'limit', 'type'],
      ['limit=1&limit=2', 'limit', 'type'],
      ['limits=1', 'limits', 'unknown'],
      ['q=%00', 'q', 'unicode'],
    ])('?%s names the field', async (query, field, tag) => {
      const response = await get(`/things?${query}`);
      expect(response.statusCode).toBe(400);
      expect(response.json().validation_errors).toMatchObject([{ field, tag }]);
    });

    test('a malformed URL is a 400 of the same shape', async () => {
      const response = await get('/things/%zz');
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ error: 'Malformed URL', status: 400 });
      expect(response.headers['x-content-type-options']).toBe('nosniff');
    });
  });

  describe('an unknown', () => {
    test.each(['/nothing', '/things/a/b', '/', '/things//x'])('route %s is a 404', async (url) => {
      const response = await get(url);
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

    test('knows the caller; the scheme compares without case', async () => {
      const response = await get('/things/me', { authorization: 'bearer good', 'x-request-id': 'r.1' });
      expect(response.json()).toEqual({ userId: 'u1', sessionId: 's1', isAdmin: false, requestId: 'r.1' });
    });

    test('that cannot be checked is a 503, not a 401', async () => {
      expect((await get('/things/me', { authorization: 'Bearer away' })).statusCode).toBe(503);
    });
  });

  describe('every answer', () => {
    test.each(['/things', '/nothing', '/things/fails/bug'])('of %s carries the standing headers', async (url) => {
      const { headers } = await get(url, { 'x-forwarded-proto': 'https' });
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'strict-origin-when-cross-origin',
        'content-security-policy': expect.stringContaining("default-src 'none'"),
        'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      });
      // No proxy is trusted here, so nobody's word makes this TLS.
      expect(headers).not.toHaveProperty('strict-transport-security');
    });

    test.each(['bad id', 'x'.repeat(129), 'é'])('replaces the request id %p', async (id) => {
      expect((await get('/things', { 'x-request-id': id })).headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    });

    test('lets named origins in, and no others', async () => {
      const named = await get('/things', { origin: 'https://app.example' });
      expect(named.headers['access-control-allow-origin']).toBe('https://app.example');
      expect(named.headers['access-control-allow-credentials']).toBe('true');
      const other = await get('/things', { origin: 'https://evil.example' });
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
});
