import fc from 'fast-check';

import { asksForToken, type Route } from '../contract.js';
import { blank } from './blanks.js';
import { boundaries } from './boundary-values.js';
import { breaks, HOSTILE_TEXTS } from './broken-values.js';
import { CARE, type Care, GOOD_VALUES, THINGS_OF } from './care.js';
import { ChangedValues } from './changed-values.js';
import type { JsonSchema, Schemas } from './json-schema.js';
import { ValidValues } from './valid-values.js';

/** A request of an operation, with placeholders. */
export interface FuzzRequest {
  /** Of the path, encoded for a URL. */
  readonly path: Readonly<Record<string, string>>;
  /** Encoded for a URL. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

type Parameter = NonNullable<Route['operation']['parameters']>[number] & { schema?: JsonSchema };
type Part<Name extends keyof FuzzRequest> = fc.Arbitrary<FuzzRequest[Name]>;
type Deviation = Partial<FuzzRequest>;

const JSON_TYPE = 'application/json';
const BYTES_TYPE = 'text/plain';
const OTHER_TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'application/xml', 'json', `${JSON_TYPE}; x=y`];
const BODIES = [
  '',
  '{"a":1e400}',
  '{"a":9007199254740993}',
  '{"a":1,"a":1}',
  '{',
  '{}{}',
  'null',
  '[]',
  '"text"',
  '1e400',
  'NaN',
  '\ufeff{}',
  '{"__proto__":{"a":1}}',
  '{"":1}',
];
const OVERSIZE = JSON.stringify({ x: blank(`x ${2 * 1024 ** 2}`) });
const ABYSS = `{"metadata":${JSON.stringify(blank('deep 5000'))}}`;
/** The maximum size of a request's head. */
const LONG = blank('x 5000');
const QUERIES = ['%00', '%', 'x=1', '=', '&&', '__proto__=1', 'limit[]=1', 'constructor[prototype]=1', 'x=%ED%A0%80'];
const BROKEN_IDS = [
  ...['1', 'null', '*', ':id', '%00', '%', '%zz', '%2F', '..%2f..%2fetc', '%ED%A0%80', '%F0%9F%98%80', '{id}'],
  ...['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '0'.repeat(36)],
  ...[blank('x 2000'), blank('x 3000')],
];
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  accept: ['text/event-stream', 'application/json', 'text/html', '*/*', 'x', ''],
  prefer: ['respond-async', 'return=minimal', ',,'],
  'if-match': ['"1"', '"2"', '*', 'W/"1"', '"1", "2"', '"1-running"', '"999999999"', '"9999999999"', '1', '', ',,'],
  'if-none-match': ['"1"', '"2"', '*', 'W/"1"', '"x", W/"2"', '"1-completed"', '"9999999999"', '1', '', '"'],
  'content-encoding': ['identity', 'gzip', ''],
  'last-event-id': ['0', '1', '2', '999999999', '9999999999', '-1', 'x', ''],
  'idempotency-key': ['two words', 'ä', '', blank('x 256')],
  'x-request-id': ['fuzz', 'two words', blank('x 129')],
  traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', '00-0-0-0', 'x'],
};

/** Requests for an operation: mostly valid by the document, and often with one or two faults. */
export function requestsOf(route: Route, schemas: Schemas): fc.Arbitrary<FuzzRequest> {
  const parts = new Parts(route, new ValidValues(schemas));
  return fc
    .tuple(parts.good(), fc.array(parts.deviation(), { maxLength: 2 }))
    .map(([good, deviations]) => deviations.reduce(deviated, good));
}

function deviated(request: FuzzRequest, { headers, path, ...others }: Deviation): FuzzRequest {
  return {
    ...request,
    ...others,
    headers: { ...request.headers, ...headers },
    path: { ...request.path, ...path },
  };
}

class Parts {
  private readonly care: Care;
  private readonly parameters: readonly Parameter[];
  private readonly atBound: ChangedValues;
  private readonly broken: ChangedValues;

  constructor(
    private readonly route: Route,
    private readonly valid: ValidValues,
  ) {
    const { operationId, parameters = [] } = route.operation;
    this.care = CARE[operationId!] ?? {};
    this.parameters = parameters as readonly Parameter[];
    this.atBound = new ChangedValues(valid, boundaries);
    this.broken = new ChangedValues(valid, breaks);
  }

  good(): fc.Arbitrary<FuzzRequest> {
    const schema = this.body();
    const { adjust = (body: unknown) => body } = this.care;
    return fc.record({
      path: this.path(firstOrOther),
      query: this.query((each) => this.valid.of(each)),
      headers: this.goodHeaders(),
      body: schema
        ? bodiesOf(this.valid.of(schema).map(adjust))
        : this.takesBytes
          ? this.bytes()
          : fc.constant(undefined),
    });
  }

  deviation(): fc.Arbitrary<Deviation> {
    const { method, operation } = this.route;
    const deviations: { arbitrary: fc.Arbitrary<Deviation>; weight: number }[] = [];
    const add = (weight: number, arbitrary: fc.Arbitrary<Deviation>) => deviations.push({ weight, arbitrary });
    add(
      1,
      this.strangeQueries().map((query) => ({ query })),
    );
    add(
      1,
      this.strangeHeaders().map((headers) => ({ headers })),
    );
    if (asksForToken(operation))
      add(
        1,
        this.strangeTokens().map((headers) => ({ headers })),
      );
    if (this.inPath().length > 0)
      add(
        1,
        this.path(strangeIds).map((path) => ({ path })),
      );
    if (method !== 'GET') add(1, this.strangeBodies());
    if (this.takesBytes) add(1, fc.constantFrom({ body: '' }, { body: blank('x 65537') }));
    const schema = this.body();
    if (schema) {
      add(
        2,
        bodiesOf(this.atBound.of(schema)).map((body) => ({ body })),
      );
      add(
        4,
        bodiesOf(this.broken.of(schema)).map((body) => ({ body })),
      );
    }
    return fc.oneof(...deviations);
  }

  /** With values for the fields for which only a few are valid. */
  private body(): JsonSchema | undefined {
    const schema = this.route.operation.requestBody?.content[JSON_TYPE]?.schema as JsonSchema | undefined;
    const { fields } = this.care;
    if (!schema || !fields) return schema;
    const whole = this.valid.schemas[schema.$ref!.split('/').at(-1)!]!;
    const properties = { ...whole.properties };
    for (const [name, good] of Object.entries(fields)) properties[name] = { ...properties[name]!, enum: good };
    return { ...whole, properties };
  }

  private get takesBytes(): boolean {
    return this.route.operation.requestBody?.content[BYTES_TYPE] !== undefined;
  }

  private bytes(): Part<'body'> {
    return fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom(undefined, '\0', blank('x 65536')));
  }

  private inPath(): readonly Parameter[] {
    return this.parameters.filter((parameter) => parameter.in === 'path');
  }

  private path(idsOf: (things: readonly [string, ...string[]]) => fc.Arbitrary<string>): Part<'path'> {
    const ofParameter = ({ name, schema }: Parameter): fc.Arbitrary<string> => {
      if (schema?.enum) return idsOf(schema.enum as [string, ...string[]]);
      const collection = new RegExp(`([^/]+)/\\{${name}\\}`).exec(this.route.path)![1]!;
      const things = this.care.path?.[name] ?? THINGS_OF[collection];
      if (!things) throw new Error(`nobody knows whose ${name} stands in ${this.route.path}`);
      return idsOf(things.map(blank) as [string, ...string[]]);
    };
    return fc.record(Object.fromEntries(this.inPath().map((each) => [each.name, ofParameter(each)])));
  }

  private query(valuesOf: (schema: JsonSchema) => fc.Arbitrary<unknown>): Part<'query'> {
    const inQuery = this.parameters.filter((parameter) => parameter.in === 'query');
    const values = inQuery.map(({ name, schema = {} }) => {
      const good = GOOD_VALUES[name];
      return [name, valuesOf(good ? { ...schema, enum: good } : schema)] as const;
    });
    return fc.record(Object.fromEntries(values), { requiredKeys: [] }).map(encoded);
  }

  private strangeQueries(): Part<'query'> {
    return fc.oneof(
      this.query((schema) => this.atBound.of(schema)),
      this.query((schema) => fc.oneof(this.valid.of(schema), fc.constantFrom(...HOSTILE_TEXTS, LONG))),
      this.query((schema) => fc.array(this.valid.of(schema), { minLength: 2, maxLength: 3 })),
      fc.constantFrom(...QUERIES),
    );
  }

  private goodHeaders(): Part<'headers'> {
    const known = this.parameters.filter((parameter) => parameter.in === 'header' && parameter.schema?.pattern);
    const values = known.map(({ name, schema }) => [name.toLowerCase(), this.valid.of(schema!)] as const);
    return fc.record(Object.fromEntries(values), { requiredKeys: [] }).map((headers) => ({
      ...(asksForToken(this.route.operation) && { authorization: `Bearer ${this.token}` }),
      ...(this.body() && { 'content-type': JSON_TYPE }),
      ...(this.takesBytes && { 'content-type': BYTES_TYPE }),
      ...(headers as Record<string, string>),
    }));
  }

  private strangeHeaders(): Part<'headers'> {
    return fc
      .constantFrom(...Object.entries(HEADERS))
      .chain(([name, values]) => fc.constantFrom(...values).map((value) => ({ [name]: value })));
  }

  private strangeTokens(): Part<'headers'> {
    const { token } = this;
    const values = ['', token, 'Bearer', 'Bearer x.y.z', 'Basic YTpi', `Bearer ${blank('refresh token')}`];
    return fc.constantFrom(`bearer  ${token}`, ...values).map((authorization) => ({ authorization }));
  }

  private strangeBodies(): fc.Arbitrary<Deviation> {
    const typed = (types: readonly string[], bodies: readonly string[]) =>
      fc
        .tuple(fc.constantFrom(...types), fc.constantFrom(...bodies))
        .map(([type, body]) => ({ body, headers: { 'content-type': type } }));
    return fc.oneof(
      { weight: 3, arbitrary: typed([JSON_TYPE], BODIES) },
      { weight: 1, arbitrary: typed([JSON_TYPE], [OVERSIZE, ABYSS]) },
      { weight: 1, arbitrary: typed(OTHER_TYPES, ['', 'x', '{}']) },
      { weight: 1, arbitrary: typed([...OTHER_TYPES, 'multipart/form-data', '/'], ['']) },
      { weight: 1, arbitrary: fc.constant({ body: undefined }) },
    );
  }

  private get token(): string {
    return this.care.token ?? blank('token');
  }
}

const bodiesOf = (values: fc.Arbitrary<unknown>): fc.Arbitrary<string> => values.map((value) => JSON.stringify(value));

const firstOrOther = ([first, ...others]: readonly [string, ...string[]]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(first) }, { weight: 1, arbitrary: fc.constantFrom(first, ...others) });

const strangeIds = (things: readonly [string, ...string[]]): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom(...BROKEN_IDS),
    fc.uuid(),
    fc.constantFrom(...things.map((each) => each.replace('«', '«foreign '))),
    fc.string({ minLength: 3, unit: 'grapheme' }).map(encodeURIComponent),
  );

/** A value that is sent several times is counted as often. */
function encoded(values: Readonly<Record<string, unknown>>): string {
  const pairs = Object.entries(values).flatMap(([name, value]) => [value].flat().map((each) => [name, String(each)]));
  return pairs.map((pair) => pair.map(inUrl).join('=')).join('&');
}

/** Placeholders stay unchanged; a URL cannot contain a lone surrogate. */
const inUrl = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replaceAll(/%C2%AB.*?%C2%BB/g, (inside) => decodeURIComponent(inside));
