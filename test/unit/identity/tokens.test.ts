import { JwtService } from '@nestjs/jwt';

import { refreshHashOf, Tokens } from '../../../src/identity/app/tokens.js';
import { newId } from '../../../src/kernel/uuid.js';

const options = {
  secret: 'a secret of more than thirty-two characters',
  issuer: 'voidrunner',
  audience: 'voidrunner-api',
  accessTokenMs: 900_000,
  refreshTokenMs: 3_600_000,
};
const of = {
  userId: '0190a5d0-7b1c-7000-8000-00000000000f',
  sessionId: '0190a5d0-7b1c-7000-8000-00000000000e',
  isAdmin: true,
};

afterEach(() => void jest.useRealTimers());

test('an access token contains user, session and admin flag', () => {
  const tokens = new Tokens(new JwtService(), options);
  const claims = { sub: of.userId, sid: of.sessionId, typ: 'access', adm: true, exp: expect.any(Number) };
  const token = tokens.signAccess(of);
  expect(tokens.readAccess(token)).toEqual(claims);
  expect(tokens.readAccess(token)).toEqual(claims);
});

test('an expired token is refused', () => {
  jest.useFakeTimers({ now: 1_800_000_000_000 });
  const tokens = new Tokens(new JwtService(), options);
  const token = tokens.signAccess(of);
  tokens.readAccess(token);
  jest.setSystemTime(1_800_000_000_000 + options.accessTokenMs - 1);
  expect(tokens.readAccess(token).sub).toBe(of.userId);
  jest.setSystemTime(1_800_000_000_000 + options.accessTokenMs);
  expect(() => tokens.readAccess(token)).toThrow('Invalid or expired token');
  expect(() => tokens.readAccess(token)).toThrow('Invalid or expired token');
});

test('access and refresh tokens are not interchangeable, and each refresh token is unique', () => {
  const tokens = new Tokens(new JwtService(), options);
  const refresh = (id = newId(), now = Date.now()) => tokens.signRefresh(of, id, now);
  expect(() => tokens.readAccess(refresh())).toThrow('Invalid or expired token');
  expect(() => tokens.readRefresh(tokens.signAccess(of))).toThrow('Invalid or expired token');
  const [one, other] = [refresh(), refresh()];
  expect(one).not.toBe(other);
  expect(refreshHashOf(one).equals(refreshHashOf(other))).toBe(false);
  const [id, now] = [newId(), Date.now()];
  expect(refresh(id, now)).toBe(refresh(id, now));
});

test('a secret can be replaced while all tokens stay valid', () => {
  const [old, next] = ['the old secret of thirty-two characters', 'the next secret of thirty-two characters'];
  const tokensOf = (secret: string, ...acceptedSecrets: string[]) =>
    new Tokens(new JwtService(), { ...options, secret, acceptedSecrets });
  const before = tokensOf(old).signAccess(of);
  expect(tokensOf(next, old).readAccess(before).sub).toBe(of.userId);
  const after = tokensOf(next, old).signAccess(of);
  expect(tokensOf(old, next).readAccess(after).sub).toBe(of.userId);
  expect(() => tokensOf(next).readAccess(before)).toThrow('Invalid or expired token');
});
