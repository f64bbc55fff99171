import { randomUUID } from 'node:crypto';

import { MemoryRateLimiter } from '../../../src/http/rate-limit/memory-rate-limiter.js';
import { AccountAdministration } from '../../../src/identity/app/account-administration.js';
import { AccountErasure } from '../../../src/identity/app/account-erasure.js';
import { Accounts } from '../../../src/identity/app/accounts.js';
import { SecurityFacts } from '../../../src/identity/app/security-facts.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { rateLimits } from '../../support/rate-limits.js';
import { afterTheGrace, type IdentityApp, startIdentityApp } from './identity-app.js';

const password = 'correct horse battery';

describe('accounts over HTTP', () => {
  let database: TestDatabase;
  let identity: IdentityApp;
  beforeAll(async () => {
    database = await createTestDatabase();
    identity = await startIdentityApp(database);
  });
  afterAll(async () => {
    await identity.close();
    await database.drop();
  });

  const someone = () => ({ email: `${randomUUID()}@example.com`, password, name: 'Ada' });
  const register = async (person = someone()) => {
    const response = await identity.post('/auth/register', person);
    expect(response.statusCode).toBe(201);
    return { person, ...response.json() };
  };
  const eventTypes = async (userId: string) =>
    (await identity.events.readStream({ type: 'user', id: userId })).map((event) => event.type);

  test('register returns tokens and the user, and nothing else', async () => {
    const person = someone();
    const response = await identity.post('/auth/register', person);
    expect(response.statusCode).toBe(201);
    expect(response.headers['cache-control']).toBe('no-store');
    expect(response.json()).toEqual({
      access_token: expect.any(String),
      refresh_token: expect.any(String),
      token_type: 'Bearer',
      expires_in: 900,
      user: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        email: person.email,
        name: 'Ada',
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
      },
    });
    const me = await identity.get('/auth/me', response.json().access_token);
    expect(me.json()).toEqual({ user: response.json().user });
  });

  test('an email is taken in every case', async () => {
    const { person } = await register();
    const again = await identity.post('/auth/register', { ...person, email: person.email.toUpperCase() });
    expect(again.statusCode).toBe(409);
    expect(again.json()).toMatchObject({ error: 'User with this email already exists' });
  });

  test('of many concurrent registrations of one email one succeeds', async () => {
    const person = someone();
    const answers = await Promise.all(Array.from({ length: 6 }, () => identity.post('/auth/register', person)));
    expect(answers.map((answer) => answer.statusCode).toSorted()).toEqual([201, 409, 409, 409, 409, 409]);
  });

  test.each([
    ['no email', { email: undefined }, 'email', 'required'],
    ['a bad email', { email: 'ada' }, 'email', 'email'],
    ['a short password', { password: 'short' }, 'password', 'min'],
    ['a long password', { password: 'x'.repeat(129) }, 'password', 'max'],
    ['no name', { name: '' }, 'name', 'min'],
    ['an admin flag', { is_admin: true }, 'is_admin', 'unknown'],
  ])('register with %s is a 400', async (_what, change, field, tag) => {
    const response = await identity.post('/auth/register', { ...someone(), ...change });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ error: 'Validation failed', validation_errors: [{ field, tag }] });
  });

  test('login ignores the email’s case, and each login starts a session', async () => {
    const { person, user } = await register();
    const login = await identity.post('/auth/login', { email: person.email.toUpperCase(), password });
    expect(login.statusCode).toBe(200);
    expect(login.json().user).toEqual(user);
    const other = await identity.post('/auth/login', { email: person.email, password });
    expect((await identity.post('/auth/logout', undefined, login.json().access_token)).statusCode).toBe(200);
    expect((await identity.get('/auth/me', login.json().access_token)).statusCode).toBe(401);
    expect((await identity.get('/auth/me', other.json().access_token)).statusCode).toBe(200);
  });

  test('a wrong password and an unknown email get the same response', async () => {
    const { person } = await register();
    const wrong = await identity.post('/auth/login', { email: person.email, password: 'wrong password' });
    const unknown = await identity.post('/auth/login', { email: someone().email, password });
    expect([wrong.statusCode, unknown.statusCode]).toEqual([401, 401]);
    const body = { error: 'Invalid email or password', status: 401 };
    expect(wrong.json()).toMatchObject(body);
    expect({ ...wrong.json(), request_id: '' }).toEqual({ ...unknown.json(), request_id: '' });
  });

  describe('refresh', () => {
    test('returns new tokens of the same session', async () => {
      const first = await register();
      const second = await identity.post('/auth/refresh', { refresh_token: first.refresh_token });
      expect(second.statusCode).toBe(200);
      expect(second.json().user).toEqual(first.user);
      expect(second.json().refresh_token).not.toBe(first.refresh_token);
      const third = await identity.post('/auth/refresh', { refresh_token: second.json().refresh_token });
      expect(third.statusCode).toBe(200);
      expect((await identity.get('/auth/me', third.json().access_token)).statusCode).toBe(200);
    });

    test('twice with one token ends that session with its access tokens, and no other', async () => {
      const first = await register();
      const elsewhere = await identity.post('/auth/login', { email: first.person.email, password });
      const second = await identity.post('/auth/refresh', { refresh_token: first.refresh_token });
      await afterTheGrace(database, first.user.id);
      const reuse = await identity.post('/auth/refresh', { refresh_token: first.refresh_token });
      expect(reuse.statusCode).toBe(401);
      expect(reuse.json()).toMatchObject({ error: 'Invalid or expired token' });
      for (const token of [first.access_token, second.json().access_token]) {
        expect((await identity.get('/auth/me', token)).statusCode).toBe(401);
      }
      const newest = await identity.post('/auth/refresh', { refresh_token: second.json().refresh_token });
      expect(newest.statusCode).toBe(401);
      expect((await identity.get('/auth/me', elsewhere.json().access_token)).statusCode).toBe(200);
      await eventually(async () =>
        expect(await eventTypes(first.user.id)).toEqual([
          'UserRegistered',
          'UserLoggedIn',
          'UserLoggedIn',
          'RefreshTokenReused',
        ]),
      );
    });

    test('is refused after a logout, and with an access token or nonsense', async () => {
      const { access_token, refresh_token } = await register();
      expect((await identity.post('/auth/refresh', { refresh_token: access_token })).statusCode).toBe(401);
      expect((await identity.post('/auth/refresh', { refresh_token: 'x' })).statusCode).toBe(401);
      expect((await identity.post('/auth/refresh', {})).statusCode).toBe(400);
      await identity.post('/auth/logout', undefined, access_token);
      expect((await identity.post('/auth/refresh', { refresh_token })).statusCode).toBe(401);
    });
  });

  test('other processes learn of a logout', async () => {
    const other = await startIdentityApp(database);
    try {
      const { access_token } = await register();
      expect((await other.get('/auth/me', access_token)).statusCode).toBe(200);
      await identity.post('/auth/logout', undefined, access_token);
      await eventually(async () => expect((await other.get('/auth/me', access_token)).statusCode).toBe(401));
    } finally {
      await other.close();
    }
  });

  test('a process that starts later knows earlier revocations', async () => {
    const { access_token } = await register();
    await identity.post('/auth/logout', undefined, access_token);
    const late = await startIdentityApp(database);
    try {
      expect((await late.get('/auth/me', access_token)).statusCode).toBe(401);
    } finally {
      await late.close();
    }
  });

  describe('the user’s stream', () => {
    test('records what happened and who did it, without personal data', async () => {
      const { person, user, access_token } = await register();
      await identity.post('/auth/login', { email: person.email, password: 'wrong password' });
      await identity.post('/auth/logout', undefined, access_token);
      const types = ['UserRegistered', 'UserLoggedIn', 'LoginRefused', 'UserLoggedOut'];
      await eventually(async () => expect((await eventTypes(user.id)).toSorted()).toEqual(types.toSorted()));
      const events = await identity.events.readStream({ type: 'user', id: user.id });
      const told = JSON.stringify(events, (_key, value) => (typeof value === 'bigint' ? value.toString() : value));
      for (const personal of [person.email, person.name, person.password]) expect(told).not.toContain(personal);
      expect(events.find((event) => event.type === 'UserLoggedOut')?.metadata.actor).toBe(`user:${user.id}`);
      expect(events.find((event) => event.type === 'LoginRefused')?.metadata.actor).toBe('system:identity');
      // The row is deleted only after its event is recorded.
      await identity.app.get(SecurityFacts, { strict: false }).flushed();
      const { rows } = await database.ownerPool.query('select from identity.security_facts where user_id = $1', [
        user.id,
      ]);
      expect(rows).toHaveLength(0);
    });

    test('is completed by the sweep after a crash between the commit and the append', async () => {
      const { user } = await register();
      await eventually(async () => expect(await eventTypes(user.id)).toHaveLength(2));
      // The state that a process leaves if it dies right after its commit.
      await database.ownerPool.query(
        `with counted as (update identity.users set fact_count = fact_count + 1 where id = $1 returning fact_count)
         insert into identity.security_facts
         select $2, $1, fact_count, 'LoginRefused', $3, $4, now() - interval '1 minute' from counted`,
        [
          user.id,
          randomUUID(),
          JSON.stringify({ user_id: user.id, reason: 'wrong_password' }),
          JSON.stringify({ actor: 'system:identity', correlation_id: 'crash' }),
        ],
      );
      const facts = identity.app.get(SecurityFacts, { strict: false });
      await Promise.all([facts.sweep(), facts.sweep()]);
      await facts.sweep();
      await facts.flushed();
      expect(await eventTypes(user.id)).toEqual(['UserRegistered', 'UserLoggedIn', 'LoginRefused']);
    });
  });

  test('admins are created on the command line; revoking the role ends their sessions', async () => {
    const accounts = identity.app.get(AccountAdministration, { strict: false });
    const metadata = { actor: 'operator:cli', correlation_id: 'test' } as const;
    const person = someone();
    const id = await accounts.createAdmin(person, metadata);
    const login = await identity.post('/auth/login', person);
    expect(login.statusCode).toBe(400);
    const { access_token } = (await identity.post('/auth/login', { email: person.email, password })).json();
    expect((await identity.get('/auth/me', access_token)).statusCode).toBe(200);
    await accounts.setAdmin(person.email, false, metadata);
    await eventually(async () => expect((await identity.get('/auth/me', access_token)).statusCode).toBe(401));
    await identity.app.get(SecurityFacts, { strict: false }).flushed();
    expect(await eventTypes(id)).toEqual(['UserRegistered', 'AdminGranted', 'UserLoggedIn', 'AdminRevoked']);
    await expect(accounts.setAdmin('nobody@example.com', true, metadata)).rejects.toThrow('User not found');
  });

  test('no password matches an erased account', async () => {
    const { user } = await register();
    const accounts = identity.app.get(Accounts, { strict: false });
    await identity.app
      .get(AccountErasure, { strict: false })
      .erase(user.id, { actor: 'operator:cli', correlation_id: 'test' });
    const metadata = { actor: 'system:test', correlation_id: 'test' } as const;
    for (const guess of ['', password]) {
      const login = accounts.login({ email: `erased-${user.id}`, password: guess }, () => metadata);
      await expect(login).rejects.toThrow('Invalid email or password');
      // With an access token that is still accepted.
      const caller = { userId: user.id, sessionId: randomUUID(), isAdmin: false, key: null };
      const change = accounts.changePassword(caller, { current: guess, next: 'another good one' }, metadata);
      await expect(change).rejects.toThrow('Current password is wrong');
    }
  });

  test('guessing passwords does not lock the owner out', async () => {
    const limits = rateLimits({ login_account: 2, reads: 9 });
    const limited = await startIdentityApp(database, { rateLimiter: new MemoryRateLimiter(limits) });
    try {
      const { person } = await register();
      const login = (remoteAddress: string, password: string) =>
        limited.app.inject({
          method: 'POST',
          url: '/api/v1/auth/login',
          payload: { email: person.email, password },
          remoteAddress,
        });
      const guesses = [];
      for (let count = 0; count < 3; count += 1)
        guesses.push((await login('192.0.2.1', 'a wrong password')).statusCode);
      expect(guesses).toEqual([401, 401, 429]);
      expect((await login('198.51.100.7', person.password)).statusCode).toBe(200);
    } finally {
      await limited.close();
    }
  });

  test('rate limits count logins per account, whatever the case of its email', async () => {
    const limits = rateLimits({ login_account: 2, reads: 9 });
    const limited = await startIdentityApp(database, { rateLimiter: new MemoryRateLimiter(limits) });
    try {
      const { person, access_token } = await register();
      const login = (email: string) => limited.post('/auth/login', { email, password: 'wrong password' });
      expect((await login(person.email)).statusCode).toBe(401);
      expect((await login(person.email.toUpperCase())).statusCode).toBe(401);
      const refused = await login(person.email);
      expect(refused.statusCode).toBe(429);
      expect(refused.headers).toMatchObject({ 'ratelimit-limit': '2', 'retry-after': expect.stringMatching(/^\d+$/) });
      expect((await login(someone().email)).statusCode).toBe(401);
      const me = await limited.get('/auth/me', access_token);
      expect(me.headers).toMatchObject({ 'ratelimit-limit': '9', 'ratelimit-remaining': '8' });
    } finally {
      await limited.close();
    }
  });
});
