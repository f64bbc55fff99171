import fc from 'fast-check';

import {
  alternativesOf,
  type JsonSchema,
  nameOf,
  othersOf,
  requireUnderstood,
  type Schemas,
  stepOf,
} from './json-schema.js';

/** Values that a schema accepts, mostly short and small: boundary values have their own module. */
const SHORT_CHARS = 20;
const FEW = 3;
const NEAR = 100;
/** For recursive values. */
const DEPTH_MAX = 3;

/** Generates the values that a schema accepts. */
export class ValidValues {
  private readonly named: Readonly<Record<string, fc.Arbitrary<unknown>>>;

  constructor(readonly schemas: Schemas) {
    this.named = fc.letrec((tie) =>
      Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, this.make(schema, tie)])),
    );
  }

  of(schema: JsonSchema): fc.Arbitrary<unknown> {
    return this.make(schema, (name) => this.named[name]!);
  }

  private make(schema: JsonSchema, tie: (name: string) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
    requireUnderstood(schema);
    if (schema.$ref !== undefined) return tie(nameOf(schema.$ref));
    if (schema.nullable) return fc.option(this.make({ ...schema, nullable: false }, tie));
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const alternatives = alternativesOf(schema)?.map((each) => this.make(each, tie));
    if (alternatives) return fc.oneof({ maxDepth: DEPTH_MAX }, ...alternatives);
    switch (schema.type) {
      case undefined:
        return fc.jsonValue();
      case 'boolean':
        return fc.boolean();
      case 'integer':
      case 'number':
        return numbers(schema);
      case 'string':
        return textsOf(schema);
      case 'array': {
        const { minItems = 0, maxItems = Infinity, items = {} } = schema;
        return fc.array(this.make(items, tie), { minLength: minItems, maxLength: Math.min(maxItems, minItems + FEW) });
      }
      case 'object':
        return this.objects(schema, tie);
      default:
        throw new Error(`no values of type ${schema.type}`);
    }
  }

  private objects(schema: JsonSchema, tie: (name: string) => fc.Arbitrary<unknown>): fc.Arbitrary<object> {
    const { properties = {}, required = [], minProperties = 0 } = schema;
    const members = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, this.make(each, tie)]));
    const named = fc
      .record(members, { requiredKeys: [...required] })
      .filter((value) => Object.keys(value).length >= minProperties);
    const others = othersOf(schema);
    if (!others) return named;
    const rest = fc.dictionary(textsOf({}), this.make(others, tie), { maxKeys: FEW });
    return fc.tuple(rest, named).map(([more, own]) => ({ ...more, ...own }));
  }
}

/** If the document gives no maximum, the service may still have one: most values stay near the minimum. */
function numbers(schema: JsonSchema): fc.Arbitrary<number> {
  const { type, minimum = -1e6, maximum = Number.MAX_SAFE_INTEGER, exclusiveMinimum } = schema;
  const least = exclusiveMinimum ? minimum + stepOf(schema) : minimum;
  const within = (min: number, max: number) =>
    type === 'integer' ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true });
  const near = within(least, Math.min(maximum, least + NEAR * stepOf(schema)));
  return fc.oneof({ weight: 5, arbitrary: near }, { weight: 1, arbitrary: within(least, maximum) });
}

/** Kept: fast-check takes milliseconds to prepare texts, and a schema's are needed once for each place in a body. */
const knownTexts = new Map<string, fc.Arbitrary<string>>();

function textsOf(schema: JsonSchema): fc.Arbitrary<string> {
  const { format, pattern, minLength, maxLength } = schema;
  const key = JSON.stringify([format, pattern, minLength, maxLength]);
  const known = knownTexts.get(key) ?? texts(schema);
  knownTexts.set(key, known);
  return known;
}

function texts({ format, pattern, minLength = 0, maxLength = Infinity }: JsonSchema): fc.Arbitrary<string> {
  switch (format) {
    case 'uuid':
      return fc.uuid();
    case 'email':
      return fc.emailAddress();
    case 'date-time':
      return fc
        .date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true })
        .map((date) => date.toISOString());
    case 'byte':
      // Its pattern allows more.
      return fc.base64String();
    default: {
      const fits = ({ length }: string): boolean => length >= minLength && length <= maxLength;
      if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern), { size: 'small' }).filter(fits);
      const chars = { minLength, maxLength: Math.min(maxLength, minLength + SHORT_CHARS) };
      return fc.oneof(fc.string(chars), fc.string({ ...chars, unit: 'grapheme' }).filter(fits));
    }
  }
}
