import { text } from '../../../src/http/validation/text.js';

const TAKEN = ['', 'x', 'xxxx', 'é'.repeat(4), '🐳'.repeat(4), 'x🐳x🐳', 'e\u0301e\u0301'];
const REFUSED = ['xxxxx', '🐳'.repeat(5), '🐳🐳🐳🐳x', 'e\u0301e\u0301e', 'x'.repeat(1_000_000)];

test.each(TAKEN)('%p has at most four characters', (value) => {
  expect(text({ max: 4 }).safeParse(value)).toEqual({ success: true, data: value });
});

test.each(REFUSED.map((value) => [value.slice(0, 10), value]))('%p… has more', (_start, value) => {
  const { error } = text({ max: 4 }).safeParse(value);
  expect(error!.issues).toMatchObject([
    { code: 'custom', params: { tag: 'max' }, message: 'must be at most 4 characters' },
  ]);
});

test('a value that is not text is reported as such, once', () => {
  expect(text({ min: 1, max: 4 }).safeParse(5).error!.issues).toMatchObject([{ code: 'invalid_type' }]);
  expect(text({ min: 1, max: 4 }).safeParse('').error!.issues).toMatchObject([{ code: 'too_small' }]);
});
