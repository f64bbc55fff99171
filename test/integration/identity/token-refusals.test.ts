import { createHmac, randomUUID } from 'node:crypto';

import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { type IdentityApp, startIdentityApp, tokenOptions } from './identity-app.js';

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A handmade token: what an attacker could make, and what an attacker with the secret could make. */
function forge(payload: object, options: { alg?: string; secret?: string; signature?: string } = {}): string {
  const { alg = 'HS256', secret = tokenOptions.secret } = options;
  const unsigned = `${encoded({ alg, typ: 'JWT' })}.${encoded(payload)}`;
  const hash = alg === 'HS512' ? 'sha512' : 'sha256';
  return `${unsigned}.${options.signature ?? createHmac(hash, secret).update(unsigned).digest('base64url')}`;
}

const nowSeconds = () => Math.floor(Date.now() / 1_000);

/** The claims of a real access token. */
const genuine = () => ({
  sub: randomUUID(),
  sid: randomUUID(),
  typ: 'access',
  adm: false,
  iat: nowSeconds(),
  exp: nowSeconds() + 60,
  iss: tokenOptions.issuer,
  aud: tokenOptions.audience,
});

describe('an access token', () => {
  let database: TestDatabase;
  let identity: IdentityApp;
  let grant: { access_token: string; refresh_token: string };
  beforeAll(async () => {
    database = await createTestDatabase();
    identity = await startIdentityApp(database);
    const person = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' };
    grant = (await identity.post('/auth/register', person)).json();
  });
  afterAll(async () => {
    await identity.close();
    await database.drop();
  });

  const routes = [
    ['GET', '/auth/me'],
    ['POST', '/auth/logout'],
  ] as const;

  const answerTo = (route: (typeof routes)[number], token: string) =>
    route[0] === 'GET' ? identity.get(route[1], token) : identity.post(route[1], undefined, token);

  const claimed = (sub: string) => ({ ...genuine(), sub });
  const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

  test.each(routes)('is required on %s %s', async (...route) => {
    const response = await identity.app.inject({ method: route[0], url: `/api/v1${route[1]}` });
    expect(response.statusCode).toBe(401);
    expect(response.json()).toMatchObject({ error: 'authorization header required' });
  });

  const refused: Record<string, () => string> = {
    garbage: () => 'garbage',
    'three parts of nothing': () => 'a.b.c',
    expired: () => forge({ ...genuine(), exp: nowSeconds() - 1 }),
    'never expiring, as a number in a string': () => forge({ ...genuine(), exp: '9999999999' }),
    'not yet good': () => forge({ ...genuine(), nbf: nowSeconds() + 60 }),
    'signed by nobody (alg none)': () => forge(genuine(), { alg: 'none', signature: '' }),
    'signed with another secret': () => forge(genuine(), { secret: 'another secret of thirty-two characters' }),
    'signed with another algorithm': () => forge(genuine(), { alg: 'HS512' }),
    'of another algorithm in name': () => forge(genuine(), { alg: 'RS256' }),
    'with its payload changed': () => {
      const [header, , signature] = grant.access_token.split('.');
      return `${header}.${encoded({ ...payloadOf(grant.access_token), adm: true })}.${signature}`;
    },
    'for another audience': () => forge({ ...genuine(), aud: 'another-api' }),
    'without an audience': () => forge({ ...genuine(), aud: undefined }),
    'of another issuer': () => forge({ ...genuine(), iss: 'another' }),
    'a refresh token': () => grant.refresh_token,
    'of no known kind': () => forge({ ...genuine(), typ: 'admin' }),
    'without a session': () => forge({ ...genuine(), sid: undefined }),
    'of a user that is no uuid': () => forge(claimed("x' or 1=1")),
    'with adm as text': () => forge({ ...genuine(), adm: 'true' }),
  };
  const table = routes.flatMap((route) => Object.keys(refused).map((what) => [...route, what] as const));

  test.each(table)('%s %s refuses one that is %s', async (method, path, what) => {
    const response = await answerTo([method, path] as (typeof routes)[number], refused[what]!());
    expect(response.statusCode).toBe(401);
    expect(response.headers['content-type']).toContain('application/problem+json');
    expect(response.headers['www-authenticate']).toBe('Bearer realm="voidrunner", error="invalid_token"');
    expect(response.json()).toMatchObject({ status: 401, error: 'Invalid or expired token' });
  });

  test('of an erased account is refused on routes that read the account', async () => {
    expect((await identity.get('/auth/me', forge(genuine()))).statusCode).toBe(401);
  });

  test('is refused as a refresh token; a token of an unknown session is refused, too', async () => {
    const forged = forge({ ...genuine(), typ: 'refresh', jti: randomUUID(), adm: undefined });
    for (const refresh_token of [grant.access_token, forged]) {
      const response = await identity.post('/auth/refresh', { refresh_token });
      expect(response.statusCode).toBe(401);
      expect(response.json()).toMatchObject({ error: 'Invalid or expired token' });
    }
  });

  test('is valid until the logout, and revoked afterwards', async () => {
    expect((await identity.get('/auth/me', grant.access_token)).statusCode).toBe(200);
    expect((await identity.post('/auth/logout', undefined, grant.access_token)).json()).toEqual({
      message: 'Logged out successfully',
    });
    for (const route of routes) expect((await answerTo(route, grant.access_token)).statusCode).toBe(401);
  });
});

test('an expired refresh token is refused, and ends no session', async () => {
  const database = await createTestDatabase();
  const identity = await startIdentityApp(database, { tokens: { refreshTokenMs: 1_000 } });
  try {
    const person = { email: 'ada@example.com', password: 'correct horse battery', name: 'Ada' };
    const { access_token, refresh_token, user } = (await identity.post('/auth/register', person)).json();
    await database.ownerPool.query(`update identity.sessions set expires_at = now() - interval '1 second'`);
    expect((await identity.post('/auth/refresh', { refresh_token })).statusCode).toBe(401);
    expect((await identity.get('/auth/me', access_token)).statusCode).toBe(200);
    const events = await identity.events.readStream({ type: 'user', id: user.id });
    expect(events.map((event) => event.type)).not.toContain('RefreshTokenReused');
  } finally {
    await identity.close();
    await database.drop();
  }
});
