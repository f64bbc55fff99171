import fc from 'fast-check';

import { isTooMuch, JSON_NAMES_MAX, JSON_VALUES_MAX, jsonFaultOf } from '../../../src/http/validation/json-faults.js';
import { JSON_DEPTH_MAX, textFaultOf } from '../../../src/http/validation/storable.js';

const faultOf = (text: string) => jsonFaultOf(Buffer.from(text));

/** The exact value of a literal, as a fraction of whole numbers. */
function fractionOf(literal: string): [bigint, bigint] {
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(literal)!;
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(sign! + whole + fraction);
  return power >= 0 ? [digits * 10n ** BigInt(power), 1n] : [digits, 10n ** BigInt(-power)];
}

function isSameNumber(one: string, other: string): boolean {
  const [[n1, d1], [n2, d2]] = [fractionOf(one), fractionOf(other)];
  return n1 * d2 === n2 * d1;
}

describe('a number', () => {
  test.each([
    ...['0', '-0', '-0.0', '0e999999999999', '1', '1.0', '1e2', '1E+2', '100e-2', '0.1', '0.30000000000000004'],
    ...['9007199254740991', '9007199254740992', '9007199254740994', '-9007199254740992', '1e22', '1e23', '5e-324'],
    ...['1.7976931348623157e308', '100000000000000000000', '123456789012345', `1.${'0'.repeat(400)}`],
    ...[`${'1'.padEnd(309, '0')}`, `0.${'0'.repeat(300)}1`, '0.000001e5', '12e-1'],
  ])('%s is kept', (literal) => {
    for (const text of [literal, `[${literal}]`, `{"a":[1,{"b": ${literal} }]}`]) {
      expect(faultOf(text)).toBeUndefined();
    }
  });

  test.each([
    ...['9007199254740993', '-9007199254740993', '9223372036854775807', '18446744073709551615', '1e400', '-1e400'],
    ...['1e-400', '0.1000000000000000055', '0.1000000000000000055511151231257827', '3.14159265358979323846', '5e-325'],
    ...['1.0000000000000000000000001', '12345678901234567890', '1e999999999999999999999', `1${'0'.repeat(308)}1`],
  ])('%s would change, so it is refused', (literal) => {
    expect(faultOf(literal)).toMatchObject({ field: '', tag: 'number' });
    expect(faultOf(`{"n":${literal}}`)).toMatchObject({ field: 'n', tag: 'number' });
    expect(faultOf(`{"a":[1,{"b":\n${literal}}]}`)).toMatchObject({ field: 'a.1.b', tag: 'number' });
  });

  test('is refused exactly if the parsed value differs', () => {
    const literals = fc
      .tuple(fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }), fc.nat(25), fc.integer({ min: -30, max: 30 }))
      .map(([digits, fraction, exponent]) => {
        const text = String(digits < 0n ? -digits : digits).padStart(fraction + 1, '0');
        const point = fraction === 0 ? text : `${text.slice(0, -fraction)}.${text.slice(-fraction)}`;
        return `${digits < 0n ? '-' : ''}${point.replace(/^0+(?=\d)/, '')}e${exponent}`;
      });
    fc.assert(
      fc.property(literals, (literal) => {
        const isKept = isSameNumber(literal, String(Number(literal)));
        expect([literal, faultOf(literal) === undefined]).toEqual([literal, isKept]);
      }),
    );
  });
});

test('the output of JSON.stringify has no fault, in any layout', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false, maxDepth: 4 }), fc.constantFrom(0, 1, '\t'), (json, space) => {
      const value = JSON.parse(json) as unknown;
      fc.pre(!json.includes('__proto__'));
      expect(faultOf(JSON.stringify(value, null, space))).toBeUndefined();
    }),
  );
});

describe('a member', () => {
  test.each([
    ['{"a":1,"a":1}', 'a'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"x":[{},{"a":{"b":1,"c":[],"b":null}}]}', 'x.1.a.b'],
    ['{"":1,"":2}', ''],
    [String.raw`{"a\"":1,"a\"":2}`, 'a"'],
    [String.raw`{"a\\":1,"a\\":2}`, 'a\\'],
  ])('of %s is a duplicate', (text, field) => {
    expect(faultOf(text)).toMatchObject({ field, tag: 'duplicate' });
  });

  test.each([
    '{"a":{"a":1},"b":{"a":1}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":1,"A":1}',
    String.raw`{"a":"\",\"a\":1","b":"\\"}`,
    '{"constructor":{"prototype":1},"toString":1,"hasOwnProperty":2}',
  ])('of %s is no duplicate', (text) => {
    expect(faultOf(text)).toBeUndefined();
  });

  test.each(['{"a":{"__proto__":1}}', String.raw`{"a":{"\u005f_proto__":1}}`])('of %s changes its meaning', (text) => {
    expect(faultOf(text)).toMatchObject({ field: 'a.__proto__', tag: 'forbidden' });
  });
});

test('a name of a megabyte is not echoed', () => {
  const name = 'n'.repeat(1024 ** 2);
  expect(faultOf(`{"${name}":1,"${name}":2}`)!.field).toHaveLength(256);
});

test('a number of a megabyte is refused without being converted', () => {
  expect(faultOf(`{"n":1.${'0'.repeat(1024 ** 2)}}`)).toMatchObject({ field: 'n', tag: 'number' });
});

describe('too much', () => {
  const length = JSON_VALUES_MAX;

  test('are more values than fit into a megabyte', () => {
    for (const value of ['0', '""', 'null', '{}', '[]']) {
      expect(faultOf(`[${`${value},`.repeat(length - 2)}0]`)).toBeUndefined();
      expect(faultOf(`[${`${value},`.repeat(length)}0]`)).toMatchObject({
        tag: 'max',
        message: `Must have at most ${length} values`,
      });
    }
    // A fault that comes first does not hide it.
    expect(isTooMuch(faultOf(`[1e999${',0'.repeat(length)}]`))).toBe(true);
  });

  test('are more members of one object than any request has', () => {
    const members = (count: number) => Array.from({ length: count }, (_, index) => `"${index}":0`).join();
    expect(faultOf(`{"a":{${members(JSON_NAMES_MAX)}},"b":{${members(JSON_NAMES_MAX)}}}`)).toBeUndefined();
    expect(faultOf(`{"a":{${members(JSON_NAMES_MAX + 1)}}}`)).toMatchObject({
      field: `a.${JSON_NAMES_MAX - 1}`,
      tag: 'max',
    });
  });

  test.each([
    ['[', '[1', ']'],
    ['{"a":', '{"a":1', '}'],
  ])('are more levels of %s than any request has', (open, last, close) => {
    const nested = (levels: number) => open.repeat(levels - 1) + last + close.repeat(levels);
    expect(faultOf(nested(JSON_DEPTH_MAX))).toBeUndefined();
    const fault = faultOf(nested(JSON_DEPTH_MAX + 1));
    expect(isTooMuch(fault)).toBe(true);
    expect(fault).toMatchObject({
      field: textFaultOf(JSON.parse(nested(JSON_DEPTH_MAX + 1)))!.path.join('.'),
      tag: 'depth',
    });
  });
});

test('a fault after any valid value is found: no valid text ends the scan', () => {
  fc.assert(
    fc.property(fc.json({ noUnicodeString: false, maxDepth: 4 }), fc.constantFrom(0, 1, '\t'), (json, space) => {
      fc.pre(!json.includes('__proto__'));
      const text = JSON.stringify([JSON.parse(json), 'last'], null, space).replace('"last"', ' 1e999');
      expect(faultOf(text)).toMatchObject({ field: '1', tag: 'number' });
    }),
  );
});

test.each(['1e5 1e5 ', '"" "" ', '[1,,', '{"a" "a" ', '[1]2', '{"a"::', 'nullnull1', 'true false '])(
  '%s is malformed: the scan ends there, and finds nothing in the rest',
  (malformed) => {
    expect(() => JSON.parse(malformed)).toThrow(SyntaxError);
    expect(faultOf(`${malformed}${malformed}[1e999]`)).toBeUndefined();
  },
);

test('a text may be large, and consist of escapes', () => {
  const text = JSON.stringify({ a: '"\\'.repeat(1024 ** 2), b: 1, c: 'x'.repeat(1024 ** 2) });
  expect(faultOf(text)).toBeUndefined();
  expect(faultOf(`${text.slice(0, -1)},"b":2}`)).toMatchObject({ field: 'b', tag: 'duplicate' });
});

test('a text that is no JSON does no harm', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^["\\{}[\],:0-9eE.+-]{0,40}$/), (text) => {
      faultOf(text);
    }),
  );
});
