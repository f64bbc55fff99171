import { z } from 'zod';

import { convertedSchema } from '../../../src/http/docs/converted-schema.js';

const input = (schema: z.ZodType) => convertedSchema(schema, 'input');
const output = (schema: z.ZodType) => convertedSchema(schema, 'output');

test('a schema of any JSON value is empty', () => {
  const { schema, components } = input(z.strictObject({ metadata: z.record(z.string(), z.json()), one: z.json() }));
  expect(schema).toMatchObject({ properties: { metadata: { type: 'object', additionalProperties: {} }, one: {} } });
  expect(schema['properties']).toMatchObject({
    metadata: { additionalProperties: expect.not.objectContaining({ $ref: expect.anything() }) },
  });
  expect(components).toEqual({});
});

test('a recursive schema needs a name', () => {
  const tree = z.object({
    get children() {
      return z.array(tree);
    },
  });
  expect(() => input(tree.optional())).toThrow('needs a name');
  const named = z
    .object({
      get children() {
        return z.array(named);
      },
    })
    .meta({ id: 'TestTree' });
  expect(input(named).components).toMatchObject({
    TestTree: { properties: { children: { items: { $ref: '#/components/schemas/TestTree' } } } },
  });
});

test('a request’s default is in the description, and nowhere else', () => {
  const retry = z.strictObject({
    attempts: z.int().default(3),
    delay_ms: z.int().default(10).describe('Between two.'),
  });
  const { schema } = input(
    z.strictObject({
      retry: retry.prefault({}).describe('When to try again'),
      language: z.enum(['go', 'bash']).default('go'),
      text: z.string().default(''),
      note: z.string().nullable().default(null),
      seen: z
        .enum(['true', 'false'])
        .default('false')
        .transform((value) => value === 'true'),
      // A field of that name is an ordinary field.
      default: z.string(),
    }),
  );
  expect(schema['required']).toEqual(['default']);
  expect(schema['properties']).toMatchObject({
    retry: {
      description: 'When to try again. Default: `{"attempts":3,"delay_ms":10}`.',
      properties: {
        attempts: { description: 'Default: `3`.' },
        delay_ms: { description: 'Between two. Default: `10`.' },
      },
    },
    language: { description: 'Default: `go`.' },
    text: { description: 'Default: `""`.' },
    note: { description: 'Default: `null`.' },
    seen: { description: 'Default: `false`.' },
    default: { type: 'string' },
  });
  expect(JSON.stringify(schema)).not.toMatch(/"default":(?!\{"type":"string"\})/);
});

test('a response lists the fields that are always present, without defaults', () => {
  expect(output(z.object({ priority: z.int32().default(5) })).schema).toMatchObject({ required: ['priority'] });
});

test('whole numbers have their format, and only the bounds that are rules', () => {
  const numbers = z.object({ small: z.int().min(0).max(10), any: z.int(), count: z.int().positive(), id: z.int32() });
  expect(output(numbers).schema['properties']).toEqual({
    small: { type: 'integer', format: 'int32', minimum: 0, maximum: 10 },
    any: { type: 'integer', format: 'int64' },
    count: { type: 'integer', format: 'int64', minimum: 1 },
    id: { type: 'integer', format: 'int32' },
  });
  // A request beyond them is refused.
  expect(input(z.int()).schema).toMatchObject({ maximum: Number.MAX_SAFE_INTEGER, format: 'int64' });
});

test('a nullable enum includes null', () => {
  expect(output(z.enum(['a', 'b']).nullable()).schema).toEqual({
    type: 'string',
    nullable: true,
    enum: ['a', 'b', null],
  });
});

test('named alternatives have a discriminator', () => {
  const running = z.strictObject({ status: z.literal('running') });
  const ended = z.strictObject({ status: z.enum(['done', 'failed']), code: z.int() });
  expect(input(z.discriminatedUnion('status', [running, ended])).schema).not.toHaveProperty('discriminator');
  const named = z.discriminatedUnion('status', [running.meta({ id: 'TestRunning' }), ended.meta({ id: 'TestEnded' })]);
  expect(input(named).schema).toMatchObject({
    oneOf: [{ $ref: '#/components/schemas/TestRunning' }, { $ref: '#/components/schemas/TestEnded' }],
    discriminator: {
      propertyName: 'status',
      mapping: {
        running: '#/components/schemas/TestRunning',
        done: '#/components/schemas/TestEnded',
        failed: '#/components/schemas/TestEnded',
      },
    },
  });
});
