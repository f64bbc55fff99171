import fc from 'fast-check';

import { blank, deep, raw } from './blanks.js';
import type { Change } from './changed-values.js';

/** Postgres refuses these. */
const UNSTORABLE = ['\0', '\ud800', '\udfff'];

export const HOSTILE_TEXTS = [
  '',
  ' ',
  'null',
  '-1',
  '1e3',
  '٣',
  '../../etc/passwd',
  "'; drop table es.events --",
  '{{7*7}}',
  '\u202eeht',
  ...UNSTORABLE,
];

const ANYTHING: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...HOSTILE_TEXTS, blank('x 70000')),
  fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e308, 2 ** 53, raw('-0'), raw('1e400'), raw('1E-400')),
  fc.constantFrom<unknown>([], {}, [null], deep(40), deep(5_000), hasPrototype({})),
  fc.jsonValue(),
);

/** Values that the schema refuses, or that no service should have to accept. */
export const breaks: Change = (schema, valid) => {
  const others: fc.Arbitrary<unknown>[] = [];
  if (schema.type === 'string') {
    const cut = fc.tuple(valid.of(schema), fc.constantFrom(...UNSTORABLE));
    others.push(cut.map(([text, bad]) => `${String(text)}${bad}`));
  }
  if (schema.type === 'object') {
    const whole = valid.of(schema) as fc.Arbitrary<object>;
    others.push(
      fc
        .tuple(whole, fc.constantFrom('id', 'user_id', 'x\0', 'x\ud800', ''))
        .map(([it, name]) => ({ ...it, [name]: 1 })),
      whole.map(hasPrototype),
    );
    if (schema.required) others.push(fc.tuple(whole, fc.constantFrom(...schema.required)).map(without));
  }
  return [ANYTHING, ...others];
};

/** As an own member, which an assignment would not create. */
function hasPrototype(value: object): object {
  return Object.defineProperty({ ...value }, '__proto__', { value: { is_admin: true }, enumerable: true });
}

const without = ([value, name]: [object, string]): object =>
  Object.fromEntries(Object.entries(value).filter(([each]) => each !== name));
