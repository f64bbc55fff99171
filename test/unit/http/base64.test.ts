import { randomBytes } from 'node:crypto';

import fc from 'fast-check';

import { isBase64 } from '../../../src/http/validation/base64.js';

const BASE64 = /^(?:[0-9A-Za-z+/]{4})*(?:[0-9A-Za-z+/]{2}==|[0-9A-Za-z+/]{3}=)?$/;
const PIECE_CHARS = 64 * 1024;

test('says the same as the grammar', () => {
  const texts = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9+/=_\- \n]{0,12}$/),
    fc.stringMatching(/^[Aa0+/=]{0,8}$/),
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.base64String(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      expect([text, isBase64(text)]).toEqual([text, BASE64.test(text)]);
    }),
    {
      numRuns: 2_000,
      examples: ['', '=', '====', 'A===', 'AA==', 'AB==', 'AAA=', 'AA==AA==', 'AAAŁ', 'AA=='].map((each) => [each]),
    },
  );
});

test.each([PIECE_CHARS - 4, PIECE_CHARS, PIECE_CHARS + 4, 3 * PIECE_CHARS])('of %i characters', (chars) => {
  const text = randomBytes((chars / 4) * 3).toString('base64');
  expect(isBase64(text)).toBe(true);
  for (const at of [0, PIECE_CHARS - 5, chars - 1]) {
    for (const bad of ['!', '=', '\n', '_', 'Ł']) {
      if (at === chars - 1 && bad === '=') continue;
      expect([at, bad, isBase64(text.slice(0, at) + bad + text.slice(at + 1))]).toEqual([at, bad, false]);
    }
  }
  expect(isBase64(`${text.slice(0, -4)}AA==`)).toBe(true);
  expect(isBase64(`${text.slice(0, 4)}AA==${text.slice(8)}`)).toBe(false);
});
