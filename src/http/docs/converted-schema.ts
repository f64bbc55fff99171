import { z } from 'zod';

import { eachSchema, type JsonSchema, nameOfRef, refTo } from './json-schema.js';

/** A request's schemas say what may be left out, an answer's what is always there. */
export type Direction = 'input' | 'output';

export interface ConvertedSchema {
  readonly schema: JsonSchema;
  /** Whatever has a `meta({ id })`, by that name, wherever it stands. */
  readonly components: Readonly<Record<string, JsonSchema>>;
}

/** The schema that validates, in the words of OpenAPI 3.0 that client generators agree on: docs/adr/0025. */
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
 * `z.json()` contains itself, and zod gives it a name for that. It becomes the empty schema: recursive ones do not compile
 * in openapi-typescript (TS2502), and orval cannot say null among alternatives.
 */
function isAnyJson(name: string, { anyOf }: JsonSchema): boolean {
  if (!name.startsWith('__schema')) return false;
  const types = new Set((anyOf as JsonSchema[] | undefined)?.map(({ type }) => type));
  const isIt = ['string', 'number', 'boolean', 'array', 'object'].every((type) => types.has(type));
  if (!isIt) throw new Error('a schema that contains itself needs a name: meta({ id })');
  return true;
}

/** What stands where a value is left out: all of it, also where its parts have defaults of their own. */
function addWholeDefault(zodSchema: z.ZodType, jsonSchema: JsonSchema): void {
  const { type } = zodSchema.def;
  if (type !== 'default' && type !== 'prefault' && !('default' in jsonSchema)) return;
  const value = zodSchema.safeParse(undefined).data;
  if (value !== undefined) jsonSchema['default'] = value;
}

/**
 * A `default` makes the field required in the types of openapi-typescript, and one that is not whole does not compile in
 * orval's zod client. People read it as well in the description.
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

/** Bounds that are the type's own and no rule of ours. */
const TYPE_BOUNDS: readonly unknown[] = [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, -(2 ** 31), 2 ** 31 - 1];

/** Without a format many languages read 32 bits: a number of bytes may need more. */
function addFormat(schema: JsonSchema, direction: Direction): void {
  // The pattern that zod makes of a format says nothing more.
  if (direction === 'output' && schema['format'] !== undefined) delete schema['pattern'];
  if (schema['type'] !== 'integer') return;
  // Written as most tools read it, also those of other versions of JSON Schema.
  if (schema['exclusiveMinimum'] === true) {
    delete schema['exclusiveMinimum'];
    schema['minimum'] = Number(schema['minimum']) + 1;
  }
  const { minimum = -Infinity, maximum = Infinity } = schema as { minimum?: number; maximum?: number };
  schema['format'] = minimum >= -(2 ** 31) && maximum < 2 ** 31 ? 'int32' : 'int64';
  // A request beyond them is refused; of an answer they say nothing.
  if (direction === 'input') return;
  if (TYPE_BOUNDS.includes(minimum)) delete schema['minimum'];
  if (TYPE_BOUNDS.includes(maximum)) delete schema['maximum'];
}

/** OpenAPI 3.0.3: where an enum does not list it, null is refused, nullable or not. */
function allowNullInEnum(schema: JsonSchema): void {
  const values = schema['enum'] as unknown[] | undefined;
  if (schema['nullable'] === true && values && !values.includes(null)) schema['enum'] = [...values, null];
}

/** Where all alternatives have names: says which of them a value is of, by the member that tells. */
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
  throw new Error('only literals and enums tell alternatives apart');
}
