import { raw } from '@mikro-orm/postgresql';

import { parameterised } from '../../../src/identity/store/parameterised-driver.js';

const platform = { quoteIdentifier: (name: never) => `"${String(name)}"` };
const sent = (sql: string, params: unknown[]) => parameterised(platform, sql, params);

test.each([
  ['values', 'insert into t values (?, ?)', ['a', 1], 'insert into t values ($1, $2)', ['a', 1]],
  ['identifiers', 'select ?? from t where a = ?', ['b', 'c'], 'select "b" from t where a = $1', ['c']],
  ['question marks', String.raw`select a \? ? from t`, ['b'], 'select a ? $1 from t', ['b']],
  ['lists', 'select * from t where a in (?)', [['x', 'y']], 'select * from t where a in ($1, $2)', ['x', 'y']],
  ['objects', 'insert into t values (?)', [{ a: "it's" }], 'insert into t values ($1)', [`{"a":"it's"}`]],
  ['null', 'update t set a = ? where b = ?', [null, true], 'update t set a = $1 where b = $2', [null, true]],
  [
    'a value that looks like a placeholder',
    'insert into t values (?, ?)',
    ['?', '$1'],
    'insert into t values ($1, $2)',
    ['?', '$1'],
  ],
  ['no values', 'select a ? b', [], 'select a ? b', []],
])('%s', (_what, sql, params, text, values) => {
  expect(sent(sql, params)).toEqual({ text, values });
});

test('fragments are written in place, with their own values', () => {
  const fragment = raw('now() - ? * interval ?', [5, '1 s']);
  expect(sent('update t set a = ?, b = ? where c = ?', [1, fragment, 2])).toEqual({
    text: 'update t set a = $1, b = now() - $2 * interval $3 where c = $4',
    values: [1, 5, '1 s', 2],
  });
});

test('bytes and times are passed unchanged', () => {
  const values = [Buffer.from('x'), new Date(0)];
  expect(sent('insert into t values (?, ?)', values).values).toEqual(values);
});
