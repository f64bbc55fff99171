import fc from 'fast-check';

import { textOf } from './blanks.js';
import type { Change } from './changed-values.js';
import { othersOf, stepOf } from './json-schema.js';

const TIMES = [
  ...['1970-01-01T00:00:00Z', '1969-12-31T23:59:59.999Z', '9999-12-31T00:00:00Z', '9999-12-31T23:59:59.999-23:59'],
  ...['0000-01-01T00:00:00Z', '2024-02-29T00:00:00+00:00', '2023-02-29T00:00:00Z', '2026-06-30T23:59:60Z'],
  ...['2026-01-01T00:00:00', '2026-01-01', '+275760-09-13T00:00:00.000Z', '2026-01-01T00:00:00.1234567891Z'],
];

/** Values exactly at a bound of the schema, and one beyond. */
export const boundaries: Change = (schema, valid) => {
  switch (schema.type) {
    case 'integer':
    case 'number': {
      if (schema.enum) return [];
      const step = stepOf(schema);
      return constants(around(schema.minimum, -step), around(schema.maximum, step));
    }
    case 'string': {
      if (schema.format === 'date-time') return constants(TIMES);
      const otherCase = (schema.enum ?? []).map((value) => String(value).toUpperCase());
      return constants(otherCase, lengths(schema.minLength, schema.maxLength).map(textOf));
    }
    case 'array':
      return lengths(schema.minItems, schema.maxItems).map((length) =>
        fc.array(valid.of(schema.items ?? {}), { minLength: length, maxLength: length }),
      );
    case 'object': {
      const counts = lengths(schema.minProperties, schema.maxProperties);
      const others = othersOf(schema);
      if (!others) return constants(counts.includes(0) ? [{}] : []);
      return counts.map((count) =>
        fc
          .array(valid.of(others), { minLength: count, maxLength: count })
          .map((values) => Object.fromEntries(values.map((value, index) => [`N${index}`, value]))),
      );
    }
    default:
      return [];
  }
};

const around = (bound: number | undefined, step: number): number[] =>
  bound === undefined ? [] : [bound, Math.round((bound + step) * 100) / 100];

const lengths = (least: number | undefined, most: number | undefined): number[] =>
  [...around(least, -1), ...around(most, 1)].filter((length) => length >= 0);

function constants(...lists: readonly (readonly unknown[])[]): fc.Arbitrary<unknown>[] {
  const values = lists.flat();
  return values.length === 0 ? [] : [fc.constantFrom(...values)];
}
