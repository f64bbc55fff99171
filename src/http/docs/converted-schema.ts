import { z } from 'zod';

import { eachSchema, type JsonSchema, nameOfRef, refTo } from './json-schema.js';

/** In a request, fields with defaults are optional. In a response, they are always present. */
export type Direction = 'input' | 'output';

export interface ConvertedSchema {
  readonly schema: JsonSchema;
  /** All schemas with a `meta({ id })`, at any depth, by that id. */
  readonly components: Readonly<Record<string, JsonSchema>>;
}

/** Converts a validating schema to the part of OpenAPI 3.0 that client generators agree on: docs/adr/0025. */
export function convertedSchema(schema: z.ZodType, direction: Direction): ConvertedSchema {
  const made = z.toJSONSchema(schema, {
    target: 'openapi-3.0',
    io: direction,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      delete (jsonSchema as JsonSchema)['id'];
      if (direction === 'input' && zodSchema instanceof z.ZodType) addWholeDefault(zodSchema, jsonSchema as JsonSchema);
      if (zodSchema instanceof z.ZodDiscriminatedUnion) addDiscriminator(zodSchema, jsonSchema as JsonSchema);
    },
  });
  const { $defs, definitions, $schema: _dialect, ...root } = made as JsonSchema;
  const named = { ...(definitions as Record<string, JsonSchema>), ...($defs as Record<string, JsonSchema>) };
  const anyJson = new Set(Object.keys(named).filter((name) => isAnyJson(name, named[name]!)));
  for (const each of [root, ...Object.values(named)]) {
    eachSchema(each, (inner) => {
      if (anyJson.has(nameOfRef(inner['$ref']))) delete inner['$ref'];
      if (inner['$ref'] !== undefined) inner['$ref'] = refTo(nameOfRef(inner['$ref']));
      addFormat(inner, direction);
      allowNullInEnum(inner);
      if (direction === 'input') describeDefault(inner);
    });
  }
  const components = Object.fromEntries(Object.entries(named).filter(([name]) => !anyJson.has(name)));
  const id = schema.meta()?.['id'];
  if (typeof id !== 'string') return { schema: root, components };
  return {
    schema: { $ref: refTo(id) },
    components: id in components ? components : { ...components, [id]: root },
  };
}

/**
 * `z.json()` is recursive, so zod names it. It becomes the empty schema: recursive schemas do not compile
 * in openapi-typescript (TS2502), and orval does not support null among alternatives.
 */
function isAnyJson(name: string, { anyOf }: JsonSchema): boolean {
  if (!name.startsWith('__schema')) return false;
  const types = new Set((anyOf as JsonSchema[] | undefined)?.map(({ type }) => type));
  const isIt = ['string', 'number', 'boolean', 'array', 'object'].every((type) => types.has(type));
  if (!isIt) throw new Error('a schema that contains itself needs a name: meta({ id })');
  return true;
}

/** Sets the complete default of an omitted value, including the defaults of its parts. */
function addWholeDefault(zodSchema: z.ZodType, jsonSchema: JsonSchema): void {
  const { type } = zodSchema.def;
  if (type !== 'default' && type !== 'prefault' && !('default' in jsonSchema)) return;
  const value = zodSchema.safeParse(undefined).data;
  if (value !== undefined) jsonSchema['default'] = value;
}

/**
 * Moves the default to the description. A `default` makes the field required in the types of openapi-typescript, and an
 * incomplete one does not compile in orval's zod client.
 */
function describeDefault(schema: JsonSchema): void {
  const value = schema['default'];
  if (value === undefined) return;
  delete schema['default'];
  const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
  const { description } = schema;
  const before = typeof description === 'string' ? `${description.replace(/\.$/, '')}. ` : '';
  schema['description'] = `${before}Default: \`${text}\`.`;
}

/** Bounds of the numeric types themselves, not rules of this service. */
const TYPE_BOUNDS: readonly unknown[] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, -(2 ** 31), 2 ** 31 - 1];

/** Without a format, many languages use 32 bits, and a number of bytes may need more. */
function addFormat(schema: JsonSchema, direction: Direction): void {
  // The pattern that zod derives from a format adds nothing.
  if (direction === 'output' && schema['format'] !== undefined) delete schema['pattern'];
  if (schema['type'] !== 'integer') return;
  // This form works in most tools, including those for other versions of JSON Schema.
  if (schema['exclusiveMinimum'] === true) {
    delete schema['exclusiveMinimum'];
    schema['minimum'] = Number(schema['minimum']) + 1;
  }
  const { minimum = -Infinity, maximum = Infinity } = schema as { minimum?: number; maximum?: number };
  schema['format'] = minimum >= -(2 ** 31) && maximum < 2 ** 31 ? 'int32' : 'int64';
  // A request outside these bounds is refused. For a response they mean nothing.
  if (direction === 'input') return;
  if (TYPE_BOUNDS.includes(minimum)) delete schema['minimum'];
  if (TYPE_BOUNDS.includes(maximum)) delete schema['maximum'];
}

/** OpenAPI 3.0.3: an enum that does not list null refuses it, even if the schema is nullable. */
function allowNullInEnum(schema: JsonSchema): void {
  const values = schema['enum'] as unknown[] | undefined;
  if (schema['nullable'] === true && values && !values.includes(null)) schema['enum'] = [...values, null];
}

/** Adds the discriminator, by which a client selects the alternative of a value. All alternatives need names. */
function addDiscriminator({ def }: z.ZodDiscriminatedUnion, jsonSchema: JsonSchema): void {
  const { discriminator: propertyName } = def;
  const mapping: Record<string, string> = {};
  for (const option of def.options) {
    const id = z.globalRegistry.get(option)?.id;
    if (id === undefined || !(option instanceof z.ZodObject)) return;
    for (const value of valuesOf(option.shape[propertyName])) mapping[String(value)] = refTo(id);
  }
  jsonSchema['discriminator'] = { propertyName, mapping };
}

function valuesOf(schema: unknown): Iterable<unknown> {
  if (schema instanceof z.ZodEnum) return schema.options;
  if (schema instanceof z.ZodLiteral) return schema.values;
  throw new Error('only literals and enums are supported as discriminators');
}
