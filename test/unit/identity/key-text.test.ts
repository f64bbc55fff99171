import fc from 'fast-check';

import { isKeyText, keyHashOf, keyPrefixOf, looksLikeKey, newKeyText } from '../../../src/identity/app/key-text.js';

test('a new key is well-formed, and no other is the same', () => {
  const keys = Array.from({ length: 1_000 }, newKeyText);
  expect(new Set(keys).size).toBe(keys.length);
  for (const key of keys) {
    expect(key).toMatch(/^vr_[0-9A-Za-z]{49}$/);
    expect([isKeyText(key), looksLikeKey(key)]).toEqual([true, true]);
  }
});

test('a key with another character, one more or one less is malformed', () => {
  const changes = fc.tuple(fc.nat(48), fc.constantFrom(...'0Aaz9')).map(([at, char]) => [at + 3, char] as const);
  fc.assert(
    fc.property(changes, ([at, char]) => {
      const key = newKeyText();
      fc.pre(key[at] !== char);
      for (const changed of [
        key.slice(0, at) + char + key.slice(at + 1),
        key.slice(0, at) + key.slice(at + 1),
        key + char,
      ])
        expect(isKeyText(changed)).toBe(false);
    }),
  );
});

test('only a short part of a key is shown', () => {
  const key = newKeyText();
  expect(keyPrefixOf(key)).toBe(key.slice(0, 7));
  expect(keyHashOf(key)).toHaveLength(32);
});
