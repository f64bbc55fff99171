import { randomUUID } from 'node:crypto';

import { Credentials } from '../../../src/http/auth-guard.js';
import { AccountAdministration } from '../../../src/identity/app/account-administration.js';
import { AccountErasure } from '../../../src/identity/app/account-erasure.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { type IdentityApp, startIdentityApp } from './identity-app.js';

const OPERATOR = { actor: 'operator:cli', correlation_id: 'test' } as const;

let database: TestDatabase;
let here: IdentityApp;
/** Another process. */
let elsewhere: IdentityApp;

beforeAll(async () => {
  database = await createTestDatabase();
  [here, elsewhere] = [await startIdentityApp(database), await startIdentityApp(database)];
});
afterAll(async () => {
  await here.close();
  await elsewhere.close();
  await database.drop();
});

interface Owner {
  readonly id: string;
  readonly token: string;
}

async function anOwner(): Promise<Owner> {
  const person = { email: `${randomUUID()}@example.com`, password: 'correct horse battery', name: 'Ada' };
  const { access_token: token, user } = (await here.post('/auth/register', person)).json();
  return { id: user.id, token };
}

async function aKey({ token }: Owner): Promise<{ id: string; key: string }> {
  const response = await here.post('/keys', { name: 'ci', scopes: ['tasks:read'] }, token);
  expect(response.statusCode).toBe(201);
  return response.json();
}

const verify = ({ app }: IdentityApp, key: string, address = '192.0.2.1') =>
  app.get(Credentials, { strict: false }).verify(key, address);

const isRefused = (process: IdentityApp, key: string) =>
  eventually(() => expect(verify(process, key)).rejects.toMatchObject({ code: 'invalid_token' }));

const typesOf = async ({ id }: Owner) =>
  (await here.events.readStream({ type: 'user', id })).map(({ type }) => type).slice(2);

test('a revoked key is refused here at once, and elsewhere soon', async () => {
  const owner = await anOwner();
  const { id, key } = await aKey(owner);
  for (const process of [here, elsewhere]) expect(await verify(process, key)).toMatchObject({ userId: owner.id });
  const headers = { authorization: `Bearer ${owner.token}` };
  expect((await here.app.inject({ method: 'DELETE', url: `/api/v1/keys/${id}`, headers })).statusCode).toBe(200);
  await expect(verify(here, key)).rejects.toMatchObject({ code: 'invalid_token' });
  await isRefused(elsewhere, key);
});

test('the keys of an erased account are refused', async () => {
  const owner = await anOwner();
  const { key } = await aKey(owner);
  await verify(elsewhere, key);
  await here.app.get(AccountErasure, { strict: false }).erase(owner.id, OPERATOR);
  await isRefused(here, key);
  await isRefused(elsewhere, key);
});

test('an admin’s key is not an admin', async () => {
  const owner = await anOwner();
  await here.app
    .get(AccountAdministration, { strict: false })
    .setAdmin((await here.get('/auth/me', owner.token)).json().user.email, true, OPERATOR);
  expect(await verify(here, (await aKey(owner)).key)).toMatchObject({ isAdmin: false });
});

test('the first use from each address is a fact, once over all processes', async () => {
  const owner = await anOwner();
  const { id, key } = await aKey(owner);
  for (const process of [here, elsewhere])
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) await verify(process, key, address);
  const used = 'ApiKeyUsedFromNewAddress';
  await eventually(async () => expect(await typesOf(owner)).toEqual(['ApiKeyCreated', used, used]));
  const { rows } = await database.ownerPool.query(
    `select encode(address_hash, 'hex') as hash from identity.api_key_addresses where key_id = $1`,
    [id],
  );
  expect(rows).toHaveLength(2);
  const events = await here.events.readStream({ type: 'user', id: owner.id });
  expect(events.at(-1)!.metadata).toMatchObject({ actor: `user:${owner.id}`, key_id: id });
  expect(JSON.stringify(events.map(({ data, metadata }) => [data, metadata]))).not.toContain('192.0.2');
});

test('the last use is written, at most once a minute', async () => {
  const owner = await anOwner();
  const { id, key } = await aKey(owner);
  const lastUsed = async () => (await here.get(`/keys/${id}`, owner.token)).json().last_used_at as string | null;
  expect(await lastUsed()).toBeNull();
  await verify(here, key);
  await eventually(async () => expect(await lastUsed()).not.toBeNull());
  const first = await lastUsed();
  // Another address makes this process write; the statement finds that it is too early.
  await verify(elsewhere, key, '192.0.2.9');
  await eventually(async () => expect(await typesOf(owner)).toHaveLength(3));
  expect(await lastUsed()).toBe(first);
});

test('only a hash of the key is stored', async () => {
  const { key } = await aKey(await anOwner());
  const { rows } = await database.ownerPool.query(`select k::text as text from identity.api_keys k`);
  expect(rows.length).toBeGreaterThan(0);
  expect(JSON.stringify(rows)).not.toContain(key.slice(0, 12));
});
