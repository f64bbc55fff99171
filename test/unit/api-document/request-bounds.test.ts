import fc from 'fast-check';
import { z } from 'zod';

import { operatorRulesOf } from '../../../src/composition/operator-rules.js';
import { loadConfig } from '../../../src/config/load-config.js';
import { parsedBody } from '../../../src/http/body-parser.js';
import { HttpProblem } from '../../../src/http/problem.js';
import { InvalidFields } from '../../../src/kernel/errors.js';
import type { RequestedRun } from '../../../src/tasks/api/operator-rules.js';
import { acceptedSuite } from '../../../src/tasks/api/submitted-suite.js';
import type { SubmittedJudge, SubmittedTests } from '../../../src/tasks/api/suite-schemas.js';
import { Contract, type OpenApi } from '../../e2e/api/support/contract.js';
import { filled } from '../../e2e/api/support/fuzz/blanks.js';
import { boundaries } from '../../e2e/api/support/fuzz/boundary-values.js';
import { breaks } from '../../e2e/api/support/fuzz/broken-values.js';
import { ChangedValues } from '../../e2e/api/support/fuzz/changed-values.js';
import { type JsonSchema, nameOf, type Schemas, stepOf } from '../../e2e/api/support/fuzz/json-schema.js';
import { ValidValues } from '../../e2e/api/support/fuzz/valid-values.js';
import { makeApiDocument } from '../../support/api-document.js';
import { declaredRuntimes } from '../../support/declared-runtimes.js';

const RUNS = 150;

/** Rules of the service that OpenAPI 3.0 cannot express: the descriptions state them. */
const UNSAYABLE = [
  /bytes/,
  /^must be base64/,
  /^must not be given (beside stdin|without|for an external execution|for an execution with tests)/,
  /^is required to compare by a checker/,
  /^is the path of the script itself/,
  // The minimum of a limit depends on the language.
  /^must be at least \d+ for \w+/,
  /^must be a relative (path|pattern)/,
  /^must each have a place of their own/,
  /^must be in the (years|future)/,
  /^must not be before (started_at|since)/,
  /^Must be an email address/,
  /^Invalid key in record/,
];

const contract = new Contract((await makeApiDocument()) as unknown as OpenApi);
const schemas = contract.document.components.schemas as Schemas;
const valid = new ValidValues(schemas);
const rules = operatorRulesOf(loadConfig({ VOIDRUNNER_ROLES: 'api' }), declaredRuntimes);

const BODIES = contract.routes.flatMap(({ operation: { requestBody } }) => {
  const schema = requestBody?.content['application/json']?.schema;
  return schema ? [[nameOf(schema.$ref!), schema as JsonSchema] as const] : [];
});

/** The service's schemas, by their names in the document. */
const VALIDATORS = Reflect.get(z.globalRegistry, '_idmap') as ReadonlyMap<string, unknown>;

/** The body as the service reads it; undefined if it refuses the text before validation. */
function readBody(text: string): unknown {
  try {
    return parsedBody(Buffer.from(text));
  } catch (error) {
    if (error instanceof HttpProblem) return undefined;
    throw error;
  }
}

/** The fields for which the service has rules beside its schemas. */
interface Body extends RequestedRun {
  readonly overrides?: RequestedRun;
  readonly tests?: SubmittedTests | null;
  readonly judge?: SubmittedJudge;
}

/** The service's errors for a body; empty if it accepts the body. */
function refusalsOf(name: string, body: unknown): string[] {
  const parsed = (VALIDATORS.get(name) as z.ZodType).safeParse(body);
  if (!parsed.success) return parsed.error.issues.map(({ message }) => message);
  const { items } = parsed.data as { items?: Body[] };
  return (items ?? [parsed.data as Body]).flatMap(refusalsOfOperator);
}

function refusalsOfOperator(run: Body): string[] {
  try {
    const { overrides, tests, judge, ...given } = run;
    const { script_type } = rules.accept(overrides ?? given);
    if (tests) acceptedSuite(tests, judge, script_type, rules);
    return [];
  } catch (error) {
    return error instanceof InvalidFields ? error.fields.map(({ message }) => message) : [String(error)];
  }
}

const isUnsayable = (message: string): boolean => UNSAYABLE.some((pattern) => pattern.test(message));

test.each(BODIES)('%s: the document describes accepted values and no refused ones', async (name, schema) => {
  const values = fc.oneof(
    valid.of(schema),
    new ChangedValues(valid, boundaries).of(schema),
    new ChangedValues(valid, breaks).of(schema),
  );
  const agrees = async (value: unknown): Promise<void> => {
    const body = readBody(await filled(JSON.stringify(value), () => undefined));
    if (body === undefined) return;
    const sayable = refusalsOf(name, body).filter((message) => !isUnsayable(message));
    const isRefused = refusalsOf(name, body).length > 0;
    if (!contract.accepts(schema, body)) expect(isRefused).toBe(true);
    else expect(sayable).toEqual([]);
  };
  // Found in CI: zod's records ignore the member, but the parser refuses such a body before.
  const prototype = Object.defineProperty({}, '__proto__', { value: { is_admin: true }, enumerable: true });
  await fc.assert(fc.asyncProperty(values, agrees), {
    numRuns: RUNS,
    examples: [[prototype], [{ input: { env: prototype } }], [{ metadata: prototype }]],
  });
});

interface Bound {
  readonly what: string;
  readonly within: unknown;
  readonly beyond: unknown;
}

/** Each bound of the schema, in a body that is otherwise valid. */
function* boundsOf(schema: JsonSchema, path: string, put: (value: unknown) => unknown): Generator<Bound> {
  if (schema.$ref !== undefined) return yield* boundsOf(schemas[nameOf(schema.$ref)]!, path, put);
  for (const each of schema.oneOf ?? []) yield* boundsOf(each, path, put);
  const bound = (what: string, within: unknown, beyond: unknown): Bound => ({
    what: `${path} ${what}`,
    within: put(within),
    beyond: put(beyond),
  });
  const { minimum, maximum, minLength, maxLength, maxItems, minProperties, maxProperties, items, properties } = schema;
  if (minimum !== undefined) yield bound(`minimum ${minimum}`, minimum, minimum - stepOf(schema));
  if (maximum !== undefined) yield bound(`maximum ${maximum}`, maximum, maximum + stepOf(schema));
  if (maxLength !== undefined && !schema.pattern?.includes('@')) {
    yield bound(`maxLength ${maxLength}`, 'x'.repeat(maxLength), 'x'.repeat(maxLength + 1));
  }
  if (minLength !== undefined) yield bound(`minLength ${minLength}`, 'x'.repeat(minLength), 'x'.repeat(minLength - 1));
  if (maxItems !== undefined) {
    const list = (length: number): unknown[] => Array(length).fill(sampleOf(items!));
    yield bound(`maxItems ${maxItems}`, list(maxItems), list(maxItems + 1));
  }
  if (maxProperties !== undefined) {
    const names = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, index) => [`N${index}`, '']));
    yield bound(`maxProperties ${maxProperties}`, names(maxProperties), names(maxProperties + 1));
  }
  if (minProperties !== undefined) yield bound(`minProperties ${minProperties}`, { priority: 1 }, {});
  if (items) yield* boundsOf(items, `${path}[]`, (value) => put([value]));
  const whole = properties && (sampleOf(schema) as object);
  for (const [name, inner] of Object.entries(properties ?? {})) {
    yield* boundsOf(inner, `${path}.${name}`, (value) => put({ ...whole, [name]: value }));
  }
}

/** The smallest value that a schema accepts. */
function sampleOf(schema: JsonSchema): unknown {
  if (schema.$ref !== undefined) return sampleOf(schemas[nameOf(schema.$ref)]!);
  if (schema.enum) return schema.enum[0];
  if (schema.pattern?.includes('@')) return 'ada@example.com';
  if (schema.type === 'object') {
    return Object.fromEntries((schema.required ?? []).map((name) => [name, sampleOf(schema.properties![name]!)]));
  }
  if (schema.type === 'array') return Array(schema.minItems ?? 0).fill(sampleOf(schema.items!));
  return schema.type === 'string' ? 'x'.repeat(schema.minLength ?? 1) : (schema.minimum ?? null);
}

const BOUNDS = BODIES.flatMap(([name, schema]) =>
  [...boundsOf(schema, name, (value) => value)].map((bound) => ({ name, schema, ...bound })),
);

test.each(BOUNDS)('$what is the service’s own bound', ({ name, schema, within, beyond }) => {
  expect(contract.accepts(schema, within)).toBe(true);
  expect(refusalsOf(name, within).filter((message) => !isUnsayable(message))).toEqual([]);
  expect(contract.accepts(schema, beyond)).toBe(false);
  expect(refusalsOf(name, beyond)).not.toEqual([]);
});

test('every bound of every body is tried', () => {
  expect(BODIES.length).toBeGreaterThanOrEqual(8);
  const tried = BOUNDS.map(({ what }) => what);
  expect(tried).toEqual(
    expect.arrayContaining([
      'CreateTask.timeout_seconds maximum 3600',
      'CreateTask.limits.memory_mb maximum 512',
      'UpdateTask.limits.cpus maximum 1',
      'RunOnce.limits.pids maximum 256',
      'RunOnce.input.env maxProperties 64',
      'ExecutionReport.return_code maximum 255',
      'CreateBatch.items maxItems 200',
      'CreateBatch.items[].limits.pids maximum 256',
    ]),
  );
});
