import { inspect } from 'node:util';

import { type ClientOptions, VoidRunner } from '@voidrunner/client';

import { json, ScriptedServer } from '../../support/scripted-server.js';

const URL_OF_NOTHING = 'http://127.0.0.1:1';

test.each<[string, Partial<ClientOptions>]>([
  ['baseUrl', { baseUrl: 'example.com' }],
  ['baseUrl', { baseUrl: 'ftp://example.com' }],
  ['baseUrl', { baseUrl: '' }],
  ['baseUrl', { baseUrl: 'https://user:password@example.com' }],
  ['baseUrl', { baseUrl: 'https://example.com/?key=1' }],
  ['apiKey', { apiKey: ' ' }],
  ['not both', { apiKey: 'vr_a', session: { accessToken: 'a', refreshToken: 'b' } }],
  ['maxRetries', { maxRetries: -1 }],
  ['maxRetries', { maxRetries: 1.5 }],
  ['maxRetries', { maxRetries: 21 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['timeoutMs', { timeoutMs: 600_001 }],
])('a wrong %s is refused: %j', (named, options) => {
  const create = () => new VoidRunner({ baseUrl: URL_OF_NOTHING, ...options });
  expect(create).toThrow(TypeError);
  expect(create).toThrow(named);
});

test('credentials are not printed with the client', () => {
  const withKey = new VoidRunner({ baseUrl: URL_OF_NOTHING, apiKey: 'vr_secret' });
  const withSession = new VoidRunner({
    baseUrl: URL_OF_NOTHING,
    session: { accessToken: 'secret-a', refreshToken: 'secret-b' },
  });
  for (const vr of [withKey, withSession]) {
    expect(inspect(vr, { depth: 10, showHidden: true })).not.toContain('secret');
    expect(JSON.stringify(vr)).not.toContain('secret');
  }
});

describe('with a server', () => {
  let server: ScriptedServer;
  beforeAll(async () => {
    server = (await ScriptedServer.start()).on('GET /api/v1/runtimes', json(200, { runtimes: [] }));
    server.on('GET /below/api/v1/runtimes', json(200, { runtimes: [] }));
  });
  afterAll(() => server.close());

  test.each(['', '/', '/api/v1', '/api/v1/', '/below', '/below/', '/below/api/v1'])(
    'baseUrl may end with %j',
    async (end) => {
      for (const baseUrl of [server.url + end, new URL(server.url + end)]) {
        expect(await new VoidRunner({ baseUrl }).runtimes.list()).toEqual([]);
      }
    },
  );

  test('headers and fetch are used, and without a credential none is sent', async () => {
    const urls: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      urls.push((input as Request).url);
      return globalThis.fetch(input, init);
    };
    server.received.length = 0;
    await new VoidRunner({ baseUrl: server.url, headers: { 'x-request-id': 'mine' }, fetch }).runtimes.list();
    expect(urls).toEqual([`${server.url}/api/v1/runtimes`]);
    expect(server.received[0]!.headers).toMatchObject({ 'x-request-id': 'mine' });
    expect(server.received[0]!.headers.authorization).toBeUndefined();
  });

  test('an API key is sent as a bearer token, unless the caller sends another credential', async () => {
    server.received.length = 0;
    const vr = new VoidRunner({ baseUrl: server.url, apiKey: 'vr_a' });
    await vr.runtimes.list();
    await vr.http.GET('/api/v1/runtimes', { headers: { authorization: 'Bearer other' } });
    await vr.http.GET('/api/v1/runtimes', { headers: { 'x-api-key': 'vr_b' } });
    expect(server.received.map(({ headers }) => [headers.authorization, headers['x-api-key']])).toEqual([
      ['Bearer vr_a', undefined],
      ['Bearer other', undefined],
      [undefined, 'vr_b'],
    ]);
  });
});
