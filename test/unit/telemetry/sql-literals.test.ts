import fc from 'fast-check';

import { withoutLiterals } from '../../../src/platform/telemetry/sql-literals.js';

test.each([
  ['a string', `select * from t where a = 'secret'`, 'select * from t where a = ?'],
  ['a quote in a string', `insert into t values ('se''cret', 'b')`, 'insert into t values (?, ?)'],
  ['a string with escapes', String.raw`select E'se\'cret', e'\\', 'x'`, 'select ?, ?, ?'],
  ['a backslash in a plain string', String.raw`select 'a\', 'secret'`, 'select ?, ?'],
  [
    'bits, hexadecimal and national strings',
    `select b'01', X'ff', N'secret', U&'s\\0441' from t`,
    'select ?, ?, ?, ? from t',
  ],
  ['a dollar-quoted string', `select $$secret$$, $tag$a $$ secret$tag$ from t`, 'select ?, ? from t'],
  ['numbers', 'select 42, -1.5e3, .5, 0xff, 1_000 from t2 limit 10', 'select ?, -?, ?, ?, ? from t2 limit ?'],
  ['parameters stay', 'update t set a = $1 where b1 = $12', 'update t set a = $1 where b1 = $12'],
  ['names stay', `select "se'cret 1", t1.c2 from "a""b"`, `select "se'cret 1", t1.c2 from "a""b"`],
  ['comments go', `select 1 -- secret\n, /* 'secret */ 2`, 'select ?  \n,   ?'],
  ['a string without an end', `select a from t where b = 'secret and more`, 'select a from t where b = ?'],
  ['a dollar quote without an end', `select $x$ secret`, 'select ?'],
  ['a cast', `select '{"a":1}'::jsonb`, 'select ?::jsonb'],
])('%s', (_what, sql, expected) => {
  expect(withoutLiterals(sql)).toBe(expected);
});

test('nothing of a string’s content is left', () => {
  const secret = 'SECRET';
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      const literal = `'${`${before}${secret}${after}`.replaceAll("'", "''")}'`;
      expect(withoutLiterals(`insert into t (a, b) values (${literal}, $1)`)).toBe(
        'insert into t (a, b) values (?, $1)',
      );
    }),
  );
});

test('a long statement is cut', () => {
  expect(withoutLiterals(`select ${'a, '.repeat(5_000)}`).length).toBeLessThan(2_010);
});
