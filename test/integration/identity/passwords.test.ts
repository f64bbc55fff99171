import { randomUUID } from 'node:crypto';

import { MemoryRateLimiter } from '../../../src/http/rate-limit/memory-rate-limiter.js';
import { AccountAdministration } from '../../../src/identity/app/account-administration.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';
import { rateLimits } from '../../support/rate-limits.js';
import { type IdentityApp, startIdentityApp } from './identity-app.js';

const TYPED = 'p\u00e4ssw\u00f6rd-123';
const NEXT = 'another horse battery';

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

const someone = (password = TYPED) => ({ email: `${randomUUID()}@example.com`, password, name: 'Ada' });

async function register(password = TYPED) {
  const person = someone(password);
  const answer = await one.post('/auth/register', person);
  expect(answer.statusCode).toBe(201);
  return { ...person, ...answer.json() } as ReturnType<typeof someone> & {
    access_token: string;
    refresh_token: string;
    user: { id: string; name: string };
  };
}

const login = async (email: string, password: string, process = one) =>
  (await process.post('/auth/login', { email, password })).statusCode;

async function newSession(email: string, password = TYPED) {
  return (await one.post('/auth/login', { email, password })).json() as { access_token: string; refresh_token: string };
}

const change = (current_password: string, new_password: string, token: string, process = one) =>
  process.post('/auth/password', { current_password, new_password }, token);

const meStatus = async (token: string, process = one) => (await process.get('/auth/me', token)).statusCode;
const refreshStatus = async (refresh_token: string, process = one) =>
  (await process.post('/auth/refresh', { refresh_token })).statusCode;

/** Events of the user's stream, without registration and logins. */
const events = async (userId: string) =>
  (await one.events.readStream({ type: 'user', id: userId })).slice(2).filter(({ type }) => type !== 'UserLoggedIn');

describe('one password, typed on several systems', () => {
  test.each(['NFC', 'NFD', 'NFKC', 'NFKD'] as const)('logs in as registered: %s', async (form) => {
    const { email } = await register(TYPED.normalize(form));
    for (const typed of ['NFC', 'NFD'] as const) expect(await login(email, TYPED.normalize(typed))).toBe(200);
    expect(await login(email, 'passw\u00f6rd-123')).toBe(401);
  });

  test.each([
    ['full-width letters', '\uff50\uff41ssword-1', 'password-1'],
    ['a space with Alt', 'correct\u00a0horse', 'correct horse'],
    ['an ideographic space', 'correct\u3000horse', 'correct horse'],
    ['a space that NFKC leaves', 'correct\u1680horse', 'correct horse'],
  ])('may contain %s', async (_what, typed, same) => {
    const { email } = await register(typed);
    expect([await login(email, same), await login(email, typed), await login(email, same.toUpperCase())]).toEqual([
      200, 200, 401,
    ]);
  });

  test('works for an admin created on the command line', async () => {
    const admin = { ...someone(TYPED.normalize('NFD')) };
    const metadata = { actor: 'operator:cli', correlation_id: 'test' } as const;
    await one.app.get(AccountAdministration, { strict: false }).createAdmin(admin, metadata);
    expect(await login(admin.email, TYPED.normalize('NFC'))).toBe(200);
  });

  test('may be changed in one form and used in another', async () => {
    const { email, access_token } = await register(TYPED.normalize('NFC'));
    const next = 'n\u00e9w passw\u00f6rd';
    expect((await change(TYPED.normalize('NFD'), next.normalize('NFD'), access_token)).statusCode).toBe(200);
    expect(await login(email, next.normalize('NFC'))).toBe(200);
  });
});

describe('the length of a password', () => {
  test.each([
    ['8 characters that were 16', '\u00e4'.repeat(8).normalize('NFD'), 201],
    ['7 characters that were 14', '\u00e4'.repeat(7).normalize('NFD'), 400],
    ['9 characters of 3 ligatures', '\ufb03'.repeat(3), 201],
    ['4 emoji, which are 8 UTF-16 units', '\u{1f40e}'.repeat(4), 400],
    ['128 emoji', '\u{1f40e}'.repeat(128), 201],
    ['129 emoji', '\u{1f40e}'.repeat(129), 400],
    ['128 characters of 512', '\u1f82'.repeat(128).normalize('NFD'), 201],
    ['129 characters of 516', '\u1f82'.repeat(129).normalize('NFD'), 400],
    ['an excessive number of marks', '\u0323\u0301'.repeat(100_000), 400],
  ])('counts the characters that are hashed: %s', async (_what, password, status) => {
    const answer = await one.post('/auth/register', someone(password));
    expect(answer.statusCode).toBe(status);
    if (status === 400) {
      expect(answer.json().validation_errors).toMatchObject([{ field: 'password', value: '[redacted]' }]);
    }
  });
});

test('a name is stored and counted in NFC', async () => {
  const register = (name: string) => one.post('/auth/register', { ...someone(), name });
  expect((await register('Andr\u00e9'.normalize('NFD'))).json().user.name).toBe('Andr\u00e9');
  expect((await register('\u00e9'.repeat(255).normalize('NFD'))).statusCode).toBe(201);
  expect((await register('\u00e9'.repeat(256))).json().validation_errors).toMatchObject([
    { field: 'name', tag: 'max' },
  ]);
});

describe('a change of password', () => {
  test('ends every other session, in every process, and keeps this one', async () => {
    const { email, access_token, refresh_token, user } = await register();
    const others = [await newSession(email), await newSession(email)];
    expect(await meStatus(others[0]!.access_token, other)).toBe(200);
    const answer = await change(TYPED, NEXT, access_token);
    expect([answer.statusCode, answer.json()]).toEqual([200, { message: 'Password changed successfully' }]);
    for (const session of others) {
      expect(await meStatus(session.access_token)).toBe(401);
      await eventually(async () => expect(await meStatus(session.access_token, other)).toBe(401));
      expect(await refreshStatus(session.refresh_token, other)).toBe(401);
    }
    expect([await meStatus(access_token), await meStatus(access_token, other)]).toEqual([200, 200]);
    expect(await refreshStatus(refresh_token)).toBe(200);
    expect([await login(email, TYPED), await login(email, NEXT)]).toEqual([401, 200]);
    await eventually(async () =>
      expect(await events(user.id)).toMatchObject([
        { type: 'PasswordChanged', data: { sessions_ended: 2 }, metadata: { actor: `user:${user.id}` } },
        { type: 'LoginRefused' },
      ]),
    );
    const told = JSON.stringify((await events(user.id)).map(({ data }) => data));
    for (const secret of [TYPED, NEXT, email, 'argon2']) expect(told).not.toContain(secret);
  });

  test('needs the current password: a wrong one is a 403, changes nothing and is recorded', async () => {
    const { email, access_token, user } = await register();
    const session = await newSession(email);
    const answer = await change('wrong password', NEXT, access_token);
    expect([answer.statusCode, answer.json().error]).toEqual([403, 'Current password is wrong']);
    expect([await meStatus(access_token), await meStatus(session.access_token)]).toEqual([200, 200]);
    expect([await login(email, TYPED), await login(email, NEXT)]).toEqual([200, 401]);
    await eventually(async () =>
      expect((await events(user.id)).map(({ type }) => type)).toEqual(['PasswordChangeRefused', 'LoginRefused']),
    );
  });

  test.each([
    ['no current password', { current_password: undefined }, 'current_password', 'required'],
    ['a short new password', { new_password: 'short' }, 'new_password', 'min'],
    ['a long new password', { new_password: 'x'.repeat(129) }, 'new_password', 'max'],
    ['an email', { email: 'ada@example.com' }, 'email', 'unknown'],
  ])('with %s is a 400 that repeats no password', async (_what, body, field, tag) => {
    const { access_token } = await register();
    const sent = { current_password: TYPED, new_password: NEXT, ...body };
    const answer = await one.post('/auth/password', sent, access_token);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().validation_errors).toMatchObject([{ field, tag }]);
    for (const secret of [TYPED, NEXT, 'short', 'xxx']) expect(answer.payload).not.toContain(secret);
  });

  test('needs a token that is not revoked', async () => {
    const { access_token } = await register();
    expect((await one.post('/auth/password', { current_password: TYPED, new_password: NEXT })).statusCode).toBe(401);
    await one.post('/auth/logout', undefined, access_token);
    expect((await change(TYPED, NEXT, access_token)).statusCode).toBe(401);
  });

  test('many at a time: one succeeds', async () => {
    const { email, access_token } = await register();
    const next = Array.from({ length: 4 }, (_, n) => `${NEXT} ${n}`);
    const answers = await Promise.all(
      next.map((password, n) => change(TYPED, password, access_token, n % 2 ? one : other)),
    );
    expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 403, 403, 403]);
    const winner = next[answers.findIndex(({ statusCode }) => statusCode === 200)]!;
    expect(await login(email, winner)).toBe(200);
  });

  test('ends sessions that began concurrently with the old password', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { email, access_token } = await register();
      const logins = Array.from({ length: 4 }, (_, n) =>
        (n % 2 ? one : other).post('/auth/login', { email, password: TYPED }),
      );
      expect((await change(TYPED, NEXT, access_token)).statusCode).toBe(200);
      for (const answer of await Promise.all(logins)) {
        if (answer.statusCode !== 200) continue;
        expect(await refreshStatus(answer.json().refresh_token)).toBe(401);
      }
    }
  });

  test('has the rate limit of logins', async () => {
    const per = rateLimits({ login_account: 2 });
    const limited = await startIdentityApp(database, { rateLimiter: new MemoryRateLimiter(per) });
    try {
      const { access_token } = await register();
      const guesses = [];
      for (let n = 0; n < 3; n += 1) guesses.push((await change('wrong', NEXT, access_token, limited)).statusCode);
      expect(guesses).toEqual([403, 403, 429]);
    } finally {
      await limited.close();
    }
  });
});

describe('logging out everywhere', () => {
  test('ends every session of the user in every process, and no other user’s', async () => {
    const { email, access_token, refresh_token, user } = await register();
    const stranger = await register();
    const session = await newSession(email);
    expect(await meStatus(session.access_token, other)).toBe(200);
    const answer = await one.post('/auth/logout', { all: true }, access_token);
    expect([answer.statusCode, answer.json()]).toEqual([200, { message: 'Logged out successfully' }]);
    for (const token of [access_token, session.access_token]) {
      expect(await meStatus(token)).toBe(401);
      await eventually(async () => expect(await meStatus(token, other)).toBe(401));
    }
    for (const token of [refresh_token, session.refresh_token]) {
      expect([await refreshStatus(token), await refreshStatus(token, other)]).toEqual([401, 401]);
    }
    expect([await meStatus(stranger.access_token), await refreshStatus(stranger.refresh_token)]).toEqual([200, 200]);
    await eventually(async () =>
      expect(await events(user.id)).toMatchObject([{ type: 'UserLoggedOutEverywhere', data: { sessions_ended: 2 } }]),
    );
    expect(await login(email, TYPED)).toBe(200);
  });

  test.each([
    ['no body', undefined],
    ['an empty body', {}],
    ['all: false', { all: false }],
  ])('does not follow from %s', async (_what, body) => {
    const { email, access_token } = await register();
    const session = await newSession(email);
    expect((await one.post('/auth/logout', body, access_token)).statusCode).toBe(200);
    expect([await meStatus(access_token), await meStatus(session.access_token)]).toEqual([401, 200]);
  });

  test.each([
    ['an unknown field', { all: true, everywhere: true }, 'everywhere'],
    ['a string', { all: 'true' }, 'all'],
  ])('with %s is a 400 and ends no session', async (_what, body, field) => {
    const { access_token } = await register();
    const answer = await one.post('/auth/logout', body, access_token);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().validation_errors).toMatchObject([{ field }]);
    expect(await meStatus(access_token)).toBe(200);
  });
});
