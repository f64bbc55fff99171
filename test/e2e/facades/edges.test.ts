import { NO_WORKER } from '../api/support/api.js';
import { FacadeService } from './support/facade-client.js';

const PYTHON = 71;

describe('while no worker runs', () => {
  let service: FacadeService;

  beforeAll(async () => {
    service = await FacadeService.start('', {
      ...NO_WORKER,
      ...{ RATE_LIMIT_WRITES: '3', RATE_LIMIT_ENABLED: 'true', CORS_ALLOWED_ORIGINS: 'https://ide.example' },
    });
  });
  afterAll(() => service.close());

  test('Piston has no runtime; a submission to Judge0 waits in the queue', async () => {
    expect((await service.send('GET', '/piston/api/v2/runtimes', undefined, {})).body).toEqual([]);
    expect((await service.send('GET', '/piston/api/v2/packages', undefined, {})).body).toEqual([]);
    expect((await service.send('GET', '/judge0/languages')).body).toEqual([]);
    const { body } = await service.send('POST', '/judge0/submissions', { source_code: '1', language_id: PYTHON });
    const { body: shown } = await service.send('GET', `/judge0/submissions/${body.token}?fields=*`);
    expect(shown).toMatchObject({
      ...{ status: { id: 1, description: 'In Queue' }, stdout: null, time: null, memory: null, finished_at: null },
      ...{ exit_code: null, message: null, started_at: null, source_code: '1' },
    });
  });

  test('a rate limit has the shape of each service, and its headers', async () => {
    const answer = async (path: string) => {
      const { status, body, headers } = await service.send('POST', path, {});
      return [status, body, headers.get('retry-after') !== null];
    };
    for (let sent = 0; sent < 3; sent += 1) await answer('/judge0/submissions');
    expect(await answer('/judge0/submissions')).toEqual([429, { error: 'Rate limit exceeded' }, true]);
    expect(await answer('/piston/api/v2/execute')).toEqual([429, { message: 'Rate limit exceeded' }, true]);
  });

  test('a refusal of the router has the shape, too; paths beside the prefixes have this service’s', async () => {
    expect((await service.send('GET', '/judge0')).body).toEqual({ error: 'Route not found' });
    expect((await service.send('GET', '/judge0/%6eothing')).body).toEqual({ error: 'Route not found' });
    expect((await service.send('GET', '/judge0x/languages')).body).toMatchObject({ title: 'Not Found', status: 404 });
  });

  test('the document of the API does not describe them', async () => {
    const { body } = await service.send('GET', '/swagger.json');
    expect(Object.keys(body.paths).filter((path) => /judge0|piston/.test(path))).toEqual([]);
  });

  test('a browser may send the headers of Judge0’s clients', async () => {
    const headers = {
      ...{ origin: 'https://ide.example', 'access-control-request-method': 'POST' },
      'access-control-request-headers': 'x-auth-token',
    };
    const preflight = await service.send('OPTIONS', '/judge0/submissions', undefined, headers);
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      expect.stringMatching(/x-auth-token, x-rapidapi-key/),
    ]);
  });

  test('other headers with keys count only below their prefix', async () => {
    const { status } = await service.send('GET', '/api/v1/tasks', undefined, { 'x-auth-token': service.key });
    expect(status).toBe(401);
  });
});

test.each([
  ['', ['/piston/api/v2/runtimes', '/judge0/languages']],
  ['piston', ['/judge0/languages']],
  ['judge0', ['/piston/api/v2/runtimes']],
])('with FACADES=%s, the others’ paths are an ordinary 404', async (FACADES, paths) => {
  const service = await FacadeService.start('', { ...NO_WORKER, FACADES });
  try {
    for (const path of paths) {
      const { status, body } = await service.send('GET', path);
      expect([status, body.type]).toEqual([404, 'urn:voidrunner:problem:route_not_found']);
    }
  } finally {
    await service.close();
  }
});
