import { withUnixLineEnds } from '../../../src/sandbox/script-line-ends.js';

const shown = (script: string): string => Buffer.from(withUnixLineEnds(Buffer.from(script))).toString();

it.each([
  ['nothing', '', ''],
  ['Unix line ends', 'a\nb\n', 'a\nb\n'],
  ['Windows line ends', 'a\r\nb\r\n', 'a\nb\n'],
  ['a byte order mark', '\uFEFFa\nb', 'a\nb'],
  ['both', '\uFEFFä\r\n世\r\n', 'ä\n世\n'],
  ['a mark alone', '\uFEFF', ''],
  ['a single line', 'a\r', 'a\r'],
  ['a \\r that stands for itself', 'a\r\nb\rc\r\n', 'a\nb\rc\n'],
  ['a \\r\\n inside a Unix script', "a\nprintf 'b\r\n'", "a\nprintf 'b\r\n'"],
  ['an empty first line', '\r\na', '\na'],
  ['an empty first line of Unix', '\na\r\n', '\na\r\n'],
])('a script of %s', (_what, script, expected) => {
  expect(shown(script)).toBe(expected);
});

it('the stored bytes stay unchanged, also as part of a larger buffer', () => {
  const whole = Buffer.from('xx\uFEFFa\r\nb\r\nyy');
  const before = Buffer.from(whole);
  const part = whole.subarray(2, whole.length - 2);
  expect(Buffer.from(withUnixLineEnds(part)).toString()).toBe('a\nb\n');
  expect(whole).toEqual(before);
});
