import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { emailKey } from '../../../src/identity/domain/email.js';
import { userEvents } from '../../../src/identity/domain/user-events.js';

const user_id = '0190a5d0-7b1c-7000-8000-00000000000f';
const key_id = '0190a5d0-7b1c-7000-8000-00000000000d';
const session_id = '0190a5d0-7b1c-7000-8000-00000000000e';

/** As stored in logs since version 1. Never change a line; add one for each new version. */
const stored = [
  ['UserRegistered', 1, { user_id }],
  ['UserLoggedIn', 1, { user_id, session_id }],
  ['LoginRefused', 1, { user_id, reason: 'wrong_password' }],
  ['UserLoggedOut', 1, { user_id, session_id }],
  ['UserLoggedOutEverywhere', 1, { user_id, session_id, sessions_ended: 2 }],
  ['RefreshTokenReused', 1, { user_id, session_id }],
  ['RefreshTokenRepeated', 1, { user_id, session_id }],
  ['PasswordChanged', 1, { user_id, session_id, sessions_ended: 0 }],
  ['PasswordChangeRefused', 1, { user_id, session_id }],
  ['AdminGranted', 1, { user_id }],
  ['AdminRevoked', 1, { user_id }],
  ['UserErasureRefused', 1, { user_id, session_id }],
  ['UserErased', 1, { user_id }],
  ['ApiKeyCreated', 1, { user_id, key_id, scopes: ['tasks:read'], expires_at: null }],
  ['ApiKeyUsedFromNewAddress', 1, { user_id, key_id }],
  ['ApiKeyRevoked', 1, { user_id, key_id }],
] as const;

const catalog = new EventCatalog(Object.values(userEvents));

test.each(stored)('%s of version %i is read', (type, version, data) => {
  expect(catalog.upcast(type, data, version)).toEqual({ type, data });
});

test('every type has its fixtures', () => {
  const versions = stored.map(([type, version]) => `${type}@${version}`);
  expect(versions.toSorted()).toEqual(
    Object.values(userEvents)
      .flatMap((type) => Array.from({ length: type.schemaVersion }, (_, index) => `${type.type}@${index + 1}`))
      .toSorted(),
  );
});

test('emails compare without case, in one normal form', () => {
  expect(emailKey(' Ada@Example.COM ')).toBe('ada@example.com');
  const typed = 'j\u00fcrgen@b\u00fccher.example';
  expect(emailKey(typed.normalize('NFD').toUpperCase())).toBe(emailKey(typed));
});
