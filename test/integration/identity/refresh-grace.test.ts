import { randomUUID } from 'node:crypto';

import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { afterTheGrace, type IdentityApp, startIdentityApp, tokenOptions } from './identity-app.js';

const ROUNDS = 20;

interface Grant {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly user: { readonly id: string };
}

let database: TestDatabase;
/** Two processes on one database. */
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

async function register(): Promise<Grant> {
  const person = { email: `${randomUUID()}@example.com`, password: 'correct horse battery', name: 'Tabs' };
  return (await one.post('/auth/register', person)).json();
}

async function refresh(refresh_token: string, process = one): Promise<[status: number, grant: Grant]> {
  const answer = await process.post('/auth/refresh', { refresh_token });
  return [answer.statusCode, answer.json()];
}

/** A refresh that must succeed. */
async function refreshed(refresh_token: string, process = one): Promise<Grant> {
  const [status, grant] = await refresh(refresh_token, process);
  expect(status).toBe(200);
  return grant;
}

const meStatus = async (token: string, process = one) => (await process.get('/auth/me', token)).statusCode;

/** Events of the user's stream, without the registration. */
const eventTypes = async (userId: string) =>
  (await one.events.readStream({ type: 'user', id: userId })).slice(2).map(({ type }) => type);

const expectEvents = (userId: string, types: readonly string[]) =>
  eventually(async () => expect(await eventTypes(userId)).toEqual(types));

test('two concurrent refreshes in two processes get the same refresh token', async () => {
  const { refresh_token, user } = await register();
  let current = refresh_token;
  for (let round = 0; round < ROUNDS; round += 1) {
    const tabs = await Promise.all([refreshed(current, one), refreshed(current, other)]);
    expect(tabs[0].refresh_token).toBe(tabs[1].refresh_token);
    for (const tab of tabs)
      expect([await meStatus(tab.access_token, one), await meStatus(tab.access_token, other)]).toEqual([200, 200]);
    current = tabs[0].refresh_token;
  }
  await expectEvents(user.id, Array(ROUNDS).fill('RefreshTokenRepeated'));
});

test('many concurrent refreshes all succeed, with one refresh token', async () => {
  const { refresh_token, user } = await register();
  const all = await Promise.all(Array.from({ length: 12 }, (_, n) => refreshed(refresh_token, n % 2 ? one : other)));
  expect(new Set(all.map((grant) => grant.refresh_token)).size).toBe(1);
  await refreshed(all[0]!.refresh_token);
  await expectEvents(user.id, Array(11).fill('RefreshTokenRepeated'));
});

test('a lost response may be requested again, any number of times', async () => {
  const { refresh_token } = await register();
  const lost = await refreshed(refresh_token);
  for (const process of [one, other, one]) {
    const again = await refreshed(refresh_token, process);
    expect(again.refresh_token).toBe(lost.refresh_token);
    expect(await meStatus(again.access_token)).toBe(200);
  }
  await refreshed(lost.refresh_token);
});

test('after the grace period a reuse is theft: the session ends, with both tokens', async () => {
  const { refresh_token, access_token, user } = await register();
  const next = await refreshed(refresh_token);
  await afterTheGrace(database, user.id);
  expect((await refresh(refresh_token, other))[0]).toBe(401);
  for (const token of [access_token, next.access_token]) {
    await eventually(async () => expect(await meStatus(token)).toBe(401));
    expect(await meStatus(token, other)).toBe(401);
  }
  expect((await refresh(next.refresh_token))[0]).toBe(401);
  await expectEvents(user.id, ['RefreshTokenReused']);
});

test('a thief within the grace period is detected at the next refresh', async () => {
  const { refresh_token, user } = await register();
  const victim = await refreshed(refresh_token);
  const thief = await refreshed(refresh_token, other);
  await refreshed(thief.refresh_token, other);
  await afterTheGrace(database, user.id);
  expect((await refresh(victim.refresh_token))[0]).toBe(401);
  await expectEvents(user.id, ['RefreshTokenRepeated', 'RefreshTokenReused']);
});

test('an older token ends the session, also within the grace period', async () => {
  const { refresh_token, user } = await register();
  const second = await refreshed(refresh_token);
  const third = await refreshed(second.refresh_token);
  expect((await refresh(refresh_token, other))[0]).toBe(401);
  expect((await refresh(third.refresh_token))[0]).toBe(401);
  await eventually(async () => expect(await meStatus(third.access_token)).toBe(401));
  await expectEvents(user.id, ['RefreshTokenReused']);
});

test('an ended session is refused within the grace period', async () => {
  const { refresh_token, user } = await register();
  const next = await refreshed(refresh_token);
  await one.post('/auth/logout', undefined, next.access_token);
  expect((await refresh(refresh_token))[0]).toBe(401);
  await expectEvents(user.id, ['UserLoggedOut']);
});

test('a response that cannot be repeated because settings changed is refused, and ends no session', async () => {
  const { refresh_token, user } = await register();
  const next = await refreshed(refresh_token);
  const changed = await startIdentityApp(database, { tokens: { refreshTokenMs: tokenOptions.refreshTokenMs / 2 } });
  try {
    expect((await refresh(refresh_token, changed))[0]).toBe(401);
  } finally {
    await changed.close();
  }
  await refreshed(next.refresh_token);
  await expectEvents(user.id, []);
});
