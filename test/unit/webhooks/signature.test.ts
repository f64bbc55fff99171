import { randomBytes } from 'node:crypto';

import { Webhook } from 'standardwebhooks';

import { newEndpoint, PREVIOUS_SECRET_MS, secretsAt, withNewSecret } from '../../../src/webhook-endpoints/endpoint.js';
import { isSigningSecret, newSigningSecret, signedHeaders } from '../../../src/webhook-endpoints/signature.js';

const BODY = '{"text":"Grüße, 世界 \\u0000 🙂"}';
const ID = '0190a000-0000-7000-8000-000000000001';
// The library refuses what is older than five minutes.
const now = new Date();

const isAccepted = (secret: string, headers: Record<string, string>, body = BODY): boolean => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};

test('the public library accepts a signature, of exactly what was signed', () => {
  const secret = newSigningSecret();
  const headers = signedHeaders(ID, now, BODY, [secret]);
  expect(isAccepted(secret, headers)).toBe(true);
  expect(isAccepted(newSigningSecret(), headers)).toBe(false);
  expect(isAccepted(secret, headers, `${BODY} `)).toBe(false);
  expect(isAccepted(secret, { ...headers, 'webhook-id': 'another' })).toBe(false);
  expect(
    isAccepted(secret, { ...headers, 'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1) }),
  ).toBe(false);
});

test('it makes the same signature as the public library', () => {
  const secret = newSigningSecret();
  expect(signedHeaders(ID, now, BODY, [secret])['webhook-signature']).toBe(new Webhook(secret).sign(ID, now, BODY));
});

test.each([24, 32, 64])('a secret of %d bytes', (bytes) => {
  const secret = `whsec_${randomBytes(bytes).toString('base64')}`;
  expect(isSigningSecret(secret)).toBe(true);
  expect(isAccepted(secret, signedHeaders(ID, now, BODY, [secret]))).toBe(true);
});

test.each([
  '',
  'whsec_',
  `whsec_${randomBytes(23).toString('base64')}`,
  `whsec_${randomBytes(65).toString('base64')}`,
  `WHSEC_${randomBytes(32).toString('base64')}`,
  randomBytes(32).toString('base64'),
  `whsec_${'!'.repeat(44)}`,
  `whsec_${randomBytes(32).toString('base64')} `,
])('%j is no secret', (text) => expect(isSigningSecret(text)).toBe(false));

test('without a secret nothing is signed', () => {
  expect(signedHeaders(ID, now, BODY, [])).toEqual({
    'webhook-id': ID,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
  });
});

describe('after a rotation', () => {
  const before = newEndpoint('https://example.com/', '');
  const after = withNewSecret(before, now);
  const at = (ms: number) => new Date(now.getTime() + ms);
  const accepted = (time: Date) => {
    // Signed as at `time`, with a timestamp that the library accepts.
    const headers = signedHeaders(ID, now, BODY, secretsAt(after, time));
    return { old: isAccepted(before.secret, headers), new: isAccepted(after.secret, headers) };
  };

  test('both secrets sign for 24 h', () => {
    expect(PREVIOUS_SECRET_MS).toBe(24 * 3_600_000);
    expect(accepted(now)).toEqual({ old: true, new: true });
    expect(accepted(at(PREVIOUS_SECRET_MS - 1))).toEqual({ old: true, new: true });
  });

  test('then only the new one', () => {
    expect(accepted(at(PREVIOUS_SECRET_MS))).toEqual({ old: false, new: true });
  });

  test('after a second one, the first secret no longer signs', () => {
    const again = withNewSecret(after, now);
    expect(secretsAt(again, now)).toEqual([again.secret, after.secret]);
  });

  test('an endpoint without a secret gets its first one', () => {
    const first = withNewSecret({ ...before, secret: null }, now);
    expect(secretsAt(first, now)).toEqual([first.secret]);
  });
});
