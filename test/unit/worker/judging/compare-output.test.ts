import * as fc from 'fast-check';

import { type Comparison, differenceOf } from '../../../../src/worker/judging/compare-output.js';

const numbers = (absolute: number, relative = 0): Comparison => ({
  compare: 'numbers',
  tolerance: { absolute, relative },
});
const by = (compare: 'exact' | 'trimmed' | 'tokens' | 'unordered_lines'): Comparison => ({ compare });
const difference = (comparison: Comparison, expected: string, found: string) =>
  differenceOf(comparison, Buffer.from(expected), Buffer.from(found));

test.each<[Comparison, expected: string, found: string]>([
  [by('exact'), 'a\n', 'a\n'],
  [by('exact'), '', ''],
  [by('trimmed'), 'a\nb\n', 'a\nb'],
  [by('trimmed'), 'a\r\nb\r\n', 'a\nb\n'],
  [by('trimmed'), 'a', 'a  \t\n\n \n'],
  [by('trimmed'), '', '\n \n'],
  [by('trimmed'), ' a', ' a'],
  [by('trimmed'), 'a\n\nb', 'a\n \nb'],
  [by('tokens'), '1 2\n3', '1\n2   3\n'],
  [by('tokens'), '', ' \n'],
  [numbers(1e-9), '1.0 x', '1.0000000005\nx'],
  [numbers(0, 1e-6), '1e9', '1000000999'],
  [numbers(1e-9), '1', '1.000000001'],
  [numbers(0), 'nan NaN', 'NaN nan'],
  [numbers(0), '-inf', '-Infinity'],
  [numbers(0), '1e-9', '0.000000001'],
  [numbers(0), '0', '-0.0'],
  [numbers(0), '007', '7'],
  [numbers(1), '9007199254740993', '9007199254740992'],
  [by('unordered_lines'), 'a\nb\na\n', 'a\na  \nb'],
  [by('unordered_lines'), '', '\n'],
])('%j: %j accepts %j', (comparison, expected, found) => {
  expect(difference(comparison, expected, found)).toBeNull();
});

test.each<[Comparison, expected: string, found: string, message: string]>([
  [by('exact'), 'a\n', 'a', 'byte 1: expected "\\n", found nothing'],
  [by('exact'), 'a', 'a\r', 'byte 1: expected nothing, found "\\r"'],
  [by('trimmed'), 'a\nb', 'a\nc', 'line 2: expected "b", found "c"'],
  [by('trimmed'), 'a\nb', 'a', 'expected a further line: "b"'],
  [by('trimmed'), 'a', 'a\nb', 'line 2: no further line is expected, found "b"'],
  [by('trimmed'), 'a', ' a', 'line 1: expected "a", found " a"'],
  [by('trimmed'), '', 'a', 'line 1: no further line is expected, found "a"'],
  [by('trimmed'), 'a\nb', 'a\n\nb', 'line 2: expected "b", found nothing'],
  [by('tokens'), '1 2', '1\n3', 'line 2: expected "2", found "3"'],
  [by('tokens'), '1 2', '12', 'line 1: expected "1", found "12"'],
  [numbers(1e-9), '1.0', '1.00000001', 'line 1: expected "1.0", found "1.00000001"'],
  [numbers(1e9), 'nan', '1', 'line 1: expected "nan", found "1"'],
  [numbers(1e9), '1', 'nan', 'line 1: expected "1", found "nan"'],
  [numbers(1e9), 'inf', '-inf', 'line 1: expected "inf", found "-inf"'],
  [numbers(1e9), 'inf', '1e308', 'line 1: expected "inf", found "1e308"'],
  [numbers(1e9), '1', '1x', 'line 1: expected "1", found "1x"'],
  [numbers(1e9), '1', '0x1', 'line 1: expected "1", found "0x1"'],
  [numbers(0), '9007199254740993', '9007199254740992', 'line 1: expected "9007199254740993", found "9007199254740992"'],
  [by('unordered_lines'), 'a\nb', 'b\nb', 'line 2: not expected, or not so often: "b"'],
  [by('unordered_lines'), 'a\nb', 'b', 'expected a further line: "a"'],
])('%j: %j refuses %j', (comparison, expected, found, message) => {
  expect(difference(comparison, expected, found)).toBe(message);
});

const ALL = [by('exact'), by('trimmed'), by('tokens'), numbers(0), by('unordered_lines')];

test('every output is as expected if it is the same, and a message is short', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ALL), fc.uint8Array(), fc.uint8Array(), (comparison, one, other) => {
      expect(differenceOf(comparison, Buffer.from(one), Buffer.from(one))).toBeNull();
      const message = differenceOf(comparison, Buffer.from(one), Buffer.from(other)) ?? '';
      expect(message.length).toBeLessThanOrEqual(200);
    }),
  );
});

/** As one would write them without a thought of memory. */
const SIMPLE: Readonly<Record<string, (text: string) => unknown>> = {
  trimmed: (text) =>
    text
      .replace(/[\s]+$/, '')
      .split('\n')
      .map((line) => line.replace(/\s+$/, '')),
  tokens: (text) => text.split(/\s+/).filter((token) => token !== ''),
  unordered_lines: (text) =>
    text
      .replace(/[\s]+$/, '')
      .split('\n')
      .map((line) => line.replace(/\s+$/, ''))
      .toSorted(),
};

test.each(Object.entries(SIMPLE))('%s is what it would be with all lines in memory', (compare, simple) => {
  const text = fc
    .array(fc.constantFrom('a', 'b', ' ', '\n', '\r\n', '\t'), { maxLength: 12 })
    .map((all) => all.join(''));
  fc.assert(
    fc.property(text, text, (expected, found) => {
      const isEqual = JSON.stringify(simple(expected)) === JSON.stringify(simple(found));
      expect(difference(by(compare as 'tokens'), expected, found) === null).toBe(isEqual);
    }),
  );
});

test('a line of a megabyte, a million lines and a million digits are compared', () => {
  const line = Buffer.alloc(1 << 20, 'x');
  const lines = Buffer.from('1\n'.repeat(1_000_000));
  const digits = Buffer.alloc(1_000_000, '9');
  for (const comparison of ALL) {
    for (const output of [line, lines, digits]) {
      expect(differenceOf(comparison, output, output)).toBeNull();
      expect(differenceOf(comparison, output, Buffer.concat([output, Buffer.from('0')]))).not.toBeNull();
    }
  }
});
