import { randomUUID } from 'node:crypto';

import { MemoryRateLimiter } from '../../../src/http/rate-limit/memory-rate-limiter.js';
import { AccountErasure } from '../../../src/identity/app/account-erasure.js';
import { SecurityFacts } from '../../../src/identity/app/security-facts.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { rateLimits } from '../../support/rate-limits.js';
import { type IdentityApp, startIdentityApp } from './identity-app.js';

const PASSWORD = 'correct horse battery';

let database: TestDatabase;
let one: IdentityApp;
let other: IdentityApp;
beforeAll(async () => {
  database = await createTestDatabase();
  one = await startIdentityApp(database);
  other = await startIdentityApp(database);
});
afterAll(async () => {
  await other.close();
  await one.close();
  await database.drop();
});

async function register() {
  const person = { email: `${randomUUID()}@example.com`, password: PASSWORD, name: `Ada ${randomUUID()}` };
  const { user, ...tokens } = (await one.post('/auth/register', person)).json();
  return { ...person, ...tokens, id: user.id } as typeof person & {
    id: string;
    access_token: string;
    refresh_token: string;
  };
}

const erase = (token: string, password = PASSWORD, { app }: IdentityApp = one) =>
  app.inject({
    method: 'DELETE',
    url: '/api/v1/auth/me',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    payload: JSON.stringify({ password }),
  });

const eventsOf = async (userId: string) => {
  for (const { app } of [one, other]) await app.get(SecurityFacts, { strict: false }).flushed();
  return one.events.readStream({ type: 'user', id: userId });
};
const typesOf = async (userId: string) => (await eventsOf(userId)).map(({ type }) => type);
const rowsOf = async (table: string, column: string, userId: string) =>
  (await database.ownerPool.query(`select t::text as row from ${table} t where ${column} = $1`, [userId])).rows;
const isKeyDestroyed = async (userId: string) => {
  const select = 'select destroyed_at is not null and wrapped_key is null as is from es.data_keys where owner_id = $1';
  return (await database.ownerPool.query<{ is: boolean }>(select, [userId])).rows[0]?.is ?? false;
};

test('erases the personal data, and ends every session and API key, in every process', async () => {
  const ada = await register();
  const login = (await one.post('/auth/login', { email: ada.email, password: PASSWORD })).json();
  const { key } = (await one.post('/keys', { name: 'my laptop', scopes: ['tasks:read'] }, ada.access_token)).json();
  const answer = await erase(ada.access_token);
  expect([answer.statusCode, answer.json()]).toEqual([200, { message: 'Account erased successfully' }]);
  for (const token of [ada.access_token, login.access_token, key]) {
    for (const process of [one, other]) {
      await eventually(async () => expect((await process.get('/auth/me', token)).statusCode).toBe(401));
    }
  }
  for (const { refresh_token } of [ada, login])
    expect((await other.post('/auth/refresh', { refresh_token })).statusCode).toBe(401);
  expect((await one.post('/auth/login', { email: ada.email, password: PASSWORD })).statusCode).toBe(401);
  const stored = JSON.stringify([
    ...(await rowsOf('identity.users', 'id', ada.id)),
    ...(await rowsOf('identity.api_keys', 'user_id', ada.id)),
    ...(await eventsOf(ada.id)).map(({ data, metadata }) => ({ data, metadata })),
  ]);
  for (const personal of [ada.email, ada.name, 'my laptop']) expect(stored).not.toContain(personal);
  expect(await isKeyDestroyed(ada.id)).toBe(true);
  expect((await one.post('/auth/register', { email: ada.email, password: PASSWORD, name: 'Ada' })).statusCode).toBe(
    201,
  );
});

test('the event names who did it, and no personal data', async () => {
  const [ada, bob] = [await register(), await register()];
  await erase(ada.access_token);
  const operator = { actor: 'operator:root', correlation_id: 'test' } as const;
  await one.app.get(AccountErasure, { strict: false }).erase(bob.id, operator);
  const last = async (id: string) => (await eventsOf(id)).at(-1)!;
  expect(await last(ada.id)).toMatchObject({ type: 'UserErased', metadata: { actor: `user:${ada.id}` } });
  expect(await last(bob.id)).toMatchObject({ type: 'UserErased', metadata: { actor: 'operator:root' } });
  expect((await last(ada.id)).data).toEqual({ user_id: ada.id });
});

test('with a wrong password it is a 403 like a change of the password, is recorded, and erases nothing', async () => {
  const ada = await register();
  const body = { current_password: 'wrong', new_password: 'another horse battery' };
  const change = await one.post('/auth/password', body, ada.access_token);
  const answer = await erase(ada.access_token, 'wrong');
  const { request_id: _, ...problem } = answer.json();
  expect([answer.statusCode, problem]).toEqual([403, expect.objectContaining({ type: change.json().type })]);
  expect((await one.get('/auth/me', ada.access_token)).statusCode).toBe(200);
  expect((await typesOf(ada.id)).slice(2)).toEqual(['PasswordChangeRefused', 'UserErasureRefused']);
  expect(await rowsOf('identity.erasures', 'user_id', ada.id)).toEqual([]);
});

test('several at a time: each succeeds or finds no account; one erasure is recorded', async () => {
  const ada = await register();
  const answers = await Promise.all([one, other, one, other].map((app) => erase(ada.access_token, PASSWORD, app)));
  const statuses = answers.map(({ statusCode }) => statusCode);
  expect(statuses).toContain(200);
  expect(statuses.filter((status) => status !== 200 && status !== 401)).toEqual([]);
  expect((await typesOf(ada.id)).filter((type) => type.startsWith('UserEras'))).toEqual(['UserErased']);
});

test('beside logins, changes of the password and new keys, nothing of the account stays usable', async () => {
  for (let round = 0; round < 3; round += 1) {
    const ada = await register();
    const [erased, ...others] = await Promise.all([
      erase(ada.access_token),
      other.post('/auth/login', { email: ada.email, password: PASSWORD }),
      other.post('/auth/refresh', { refresh_token: ada.refresh_token }),
      other.post('/keys', { name: 'ci', scopes: ['tasks:read'] }, ada.access_token),
    ]);
    expect(erased.statusCode).toBe(200);
    for (const answer of others) {
      expect([200, 201, 401, 409]).toContain(answer.statusCode);
      const { access_token, key } = answer.json();
      for (const token of [access_token, key].filter((each) => each !== undefined)) {
        await eventually(async () => expect((await one.get('/tasks', token)).statusCode).not.toBe(200));
        await eventually(async () => expect((await one.get('/auth/me', token)).statusCode).toBe(401));
      }
    }
    const active = 'select from identity.api_keys where user_id = $1 and revoked_at is null';
    expect((await database.ownerPool.query(active, [ada.id])).rows).toEqual([]);
  }
});

test('a crash before the key is destroyed leaves an erasure that the sweep completes; the response is a success', async () => {
  const keys = { destroy: () => Promise.reject(new Unavailable('postgres', 'away')) };
  const broken = await startIdentityApp(database, { keys });
  try {
    const ada = await register();
    expect((await erase(ada.access_token, PASSWORD, broken)).statusCode).toBe(200);
    expect(await isKeyDestroyed(ada.id)).toBe(false);
    expect(await rowsOf('identity.erasures', 'user_id', ada.id)).toHaveLength(1);
    await eventually(async () => expect((await one.get('/auth/me', ada.access_token)).statusCode).toBe(401));
  } finally {
    await broken.close();
  }
});

test('a transaction that fails erases nothing, and may be repeated', async () => {
  const ada = await register();
  await database.ownerPool.query('alter table identity.erasures rename to away');
  const failed = await erase(ada.access_token).finally(() =>
    database.ownerPool.query('alter table identity.away rename to erasures'),
  );
  expect(failed.statusCode).toBe(500);
  expect((await one.get('/auth/me', ada.access_token)).statusCode).toBe(200);
  expect((await erase(ada.access_token)).statusCode).toBe(200);
});

test.each([
  ['no password', {}, 'password', 'required'],
  ['an unknown field', { password: PASSWORD, all: true }, 'all', 'unknown'],
])('with %s it is a 400 and erases nothing', async (_what, body, field, tag) => {
  const ada = await register();
  const answer = await one.app.inject({
    method: 'DELETE',
    url: '/api/v1/auth/me',
    headers: { authorization: `Bearer ${ada.access_token}`, 'content-type': 'application/json' },
    payload: JSON.stringify(body),
  });
  expect([answer.statusCode, answer.json().validation_errors]).toMatchObject([400, [{ field, tag }]]);
  expect((await one.get('/auth/me', ada.access_token)).statusCode).toBe(200);
});

test('has the rate limit of logins', async () => {
  const limits = rateLimits({ login_account: 2 });
  const limited = await startIdentityApp(database, { rateLimiter: new MemoryRateLimiter(limits) });
  try {
    const ada = await register();
    const guesses = [];
    for (let n = 0; n < 3; n += 1) guesses.push((await erase(ada.access_token, 'wrong', limited)).statusCode);
    expect(guesses).toEqual([403, 403, 429]);
  } finally {
    await limited.close();
  }
});
