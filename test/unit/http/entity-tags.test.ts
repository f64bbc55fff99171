import { entityTagsOf, matchesStrongly, matchesWeakly } from '../../../src/http/conditional/entity-tags.js';
import { writeConditionOf } from '../../../src/http/conditional/write-condition.js';

const strong = (value: string) => ({ value, weak: false });
const weak = (value: string) => ({ value, weak: true });

test.each([
  ['*', '*'],
  ['  * ', '*'],
  ['"1"', [strong('1')]],
  ['""', [strong('')]],
  ['W/"1"', [weak('1')]],
  ['"1", W/"2","3"', [strong('1'), weak('2'), strong('3')]],
  [' ,"1" ,, "2"\t, ', [strong('1'), strong('2')]],
  ['"a,b", "*"', [strong('a,b'), strong('*')]],
  [String.raw`"a\"`, [strong('a\\')]],
  ['"\u00e9"', [strong('\u00e9')]],
])('%j is read', (header, tags) => {
  expect(entityTagsOf(header, 'If-Match')).toEqual(tags);
});

test.each([
  '',
  ' ',
  ',',
  '1',
  '"1',
  '1"',
  '"1""2"',
  '"1" "2"',
  'w/"1"',
  'W/1',
  'W / "1"',
  '"a b"',
  '*, "1"',
  '"1", *',
  "'1'",
])('%j is not a list of entity tags', (header) => {
  expect(() => entityTagsOf(header, 'If-None-Match')).toThrow(
    expect.objectContaining({ status: 400, code: 'invalid_if_none_match' }),
  );
});

test('a header full of commas is read quickly', () => {
  expect(() => entityTagsOf(`${','.repeat(16_000)}x`, 'If-Match')).toThrow('If-Match');
});

test.each([
  ['*', true, true],
  ['"1"', true, true],
  ['W/"1"', false, true],
  ['"2"', false, false],
  ['"2", W/"1"', false, true],
  ['W/"1", "1"', true, true],
])('%s matches "1" strongly: %s, weakly: %s', (header, strongly, weakly) => {
  const tags = entityTagsOf(header, 'If-Match');
  expect([matchesStrongly(tags, '1'), matchesWeakly(tags, '1')]).toEqual([strongly, weakly]);
});

test.each([
  [{}, { noneOf: [] }],
  [{ 'if-match': '*' }, { noneOf: [] }],
  [{ 'if-match': '"1", "2-running", W/"3", "x", "4-", "1234567890"' }, { anyOf: [1, 2], noneOf: [] }],
  [{ 'if-match': 'W/"1"' }, { anyOf: [], noneOf: [] }],
  [{ 'if-none-match': 'W/"1", "2-completed"' }, { noneOf: [1, 2] }],
  [
    { 'if-none-match': '*', 'if-match': '"1"' },
    { anyOf: [1], noneOf: 'any' },
  ],
])('%j means for the version: %j', (headers, condition) => {
  expect(writeConditionOf({ headers })).toEqual(condition);
});
