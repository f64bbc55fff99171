import { PasswordHasher } from '../../../src/identity/app/password-hasher.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { ignoreErrors } from '../../../src/platform/async/ignore-errors.js';

test('matches a password with its argon2id hash', async () => {
  const hasher = new PasswordHasher();
  const hash = await hasher.hash('correct horse battery');
  expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  expect(await hasher.hash('correct horse battery')).not.toBe(hash);
  expect(await hasher.matches(hash, 'correct horse battery')).toBe(true);
  expect(await hasher.matches(hash, 'correct horse batterz')).toBe(false);
});

test('does the same work for an unknown account, which never matches', async () => {
  expect(await new PasswordHasher().matches(null, 'correct horse battery')).toBe(false);
});

test('also if the first comparison for an unknown account happens under load', async () => {
  const hasher = new PasswordHasher(1);
  const busy = Array.from({ length: 3 }, () => hasher.hash('password'));
  await ignoreErrors(hasher.matches(null, 'password'), 'the hasher is busy');
  await Promise.all(busy);
  expect(await hasher.matches(null, 'password')).toBe(false);
});

test('refuses more than it can do in time, and continues afterwards', async () => {
  const hasher = new PasswordHasher(3);
  const many = await Promise.allSettled(Array.from({ length: 13 }, () => hasher.hash('password')));
  const refused = many.filter((outcome) => outcome.status === 'rejected');
  expect(refused.length).toBe(8);
  expect(refused.every((outcome) => outcome.reason instanceof Unavailable)).toBe(true);
  expect(await hasher.hash('password')).toContain('argon2id');
});
