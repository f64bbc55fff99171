import type { OpenAPIObject } from '@nestjs/swagger';

import { type JsonSchema, nameOfRef } from './json-schema.js';
import { eachOperation, type Operation } from './operation-rules.js';

/** By field: `{ timeout_seconds: 3600, 'limits.memory_mb': 512 }`. */
export type Maxima = Readonly<Record<string, number>>;
export type Choices = Readonly<Record<string, readonly string[]>>;

/** Marks bodies whose schema accepts undefined as optional. Nest marks every body as required. */
export function markOptionalBodies(document: OpenAPIObject, optional: ReadonlySet<string>): void {
  eachOperation(document, ({ requestBody }) => {
    if (requestBody && optional.has(nameOfRef(bodySchemaOf(requestBody)?.['$ref']))) requestBody.required = false;
  });
}

/**
 * Adds the operator's maxima to every body with such a field. The schemas are constants and cannot contain them.
 * @throws Error for a field that no body has
 */
export function applyMaxima(document: OpenAPIObject, maxima: Maxima): void {
  for (const [field, maximum] of Object.entries(maxima)) {
    for (const schema of fieldsOf(document, field)) {
      schema['maximum'] = maximum;
      if (schema['type'] === 'integer' && maximum < 2 ** 31) schema['format'] = 'int32';
    }
  }
}

/** Adds the values that the operator allows, in the same way. */
export function applyChoices(document: OpenAPIObject, choices: Choices): void {
  for (const [field, values] of Object.entries(choices)) {
    for (const schema of fieldsOf(document, field)) {
      delete schema['maxLength'];
      schema['enum'] = [...values];
    }
  }
}

/** Where requests have fields of a run: of themselves, of their overrides, of each test, of a checker. */
const PLACES = ['', 'overrides.', 'tests.[].', 'judge.checker.'];

/** The field of this path in every place of every request body. @throws Error if none has it */
function fieldsOf(document: OpenAPIObject, path: string): JsonSchema[] {
  const bodies = new Set<JsonSchema>();
  eachOperation(document, ({ requestBody }) => {
    const schema = requestBody && bodySchemaOf(requestBody);
    if (schema) bodies.add(resolved(document, schema));
  });
  const paths = PLACES.map((place) => `${place}${path}`.split('.'));
  const found = [...bodies]
    .flatMap((body) => paths.map((each) => fieldOf(body, each)))
    .filter((each) => each !== undefined);
  if (found.length === 0) throw new Error(`no request body has the field ${path}`);
  return found;
}

const bodySchemaOf = ({ content }: NonNullable<Operation['requestBody']>): JsonSchema | undefined =>
  content['application/json']?.schema;

function resolved(document: OpenAPIObject, schema: JsonSchema): JsonSchema {
  if (schema['$ref'] === undefined) return schema;
  return document.components?.schemas?.[nameOfRef(schema['$ref'])] as JsonSchema;
}

function fieldOf(schema: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>(
    (within, name) =>
      name === '[]'
        ? (within?.['items'] as JsonSchema | undefined)
        : (within?.['properties'] as Record<string, JsonSchema> | undefined)?.[name],
    schema,
  );
}
