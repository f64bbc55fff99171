import { isSameJson, isStorableJson, isStorableText } from '../../../src/kernel/json.js';

describe('text that Postgres can store', () => {
  test.each(['', 'plain', 'ünïcödé', '🚀', '\u0001\u001f', '\\u0000'])('%j is storable', (text) => {
    expect(isStorableText(text)).toBe(true);
  });

  test.each(['\0', 'a\0b', '\ud800', '\udc00', '\udc00\ud800'])('%j is not storable', (text) => {
    expect(isStorableText(text)).toBe(false);
  });

  test('is checked in values and keys, at any depth', () => {
    expect(isStorableJson({ a: [1, true, null, { b: 'fine' }] })).toBe(true);
    expect(isStorableJson({ a: [1, { b: ['\0'] }] })).toBe(false);
    expect(isStorableJson({ a: { '\ud800': 1 } })).toBe(false);
    expect(isStorableJson(['fine', '\ud800'])).toBe(false);
  });
});

describe('equal as JSON', () => {
  test.each([
    [
      { a: 1, b: { c: [1, 2], d: null } },
      { b: { d: null, c: [1, 2] }, a: 1 },
    ],
    [-0, 0],
    ['text', 'text'],
    [{}, {}],
  ])('%j and %j are', (one, other) => {
    expect(isSameJson(one, other)).toBe(true);
  });

  test.each([
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: 1 }, { a: 1, b: 1 }],
    [{ a: {} }, { a: [] }],
    [{ a: null }, {}],
    ['1', 1],
    [{ ['__proto__']: 1 }, {}],
  ])('%j and %j are not', (one, other) => {
    expect(isSameJson(one, other)).toBe(false);
  });
});
