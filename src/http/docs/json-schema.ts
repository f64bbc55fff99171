/** A schema of the document. */
export type JsonSchema = Record<string, unknown>;

/**
 * Calls `visit` on the schema and on every schema inside it, the innermost first. It follows no `$ref`.
 * Only schemas are visited: a field called `default` is a field.
 */
export function eachSchema(schema: JsonSchema, visit: (schema: JsonSchema) => void): void {
  for (const inner of innerSchemas(schema)) eachSchema(inner, visit);
  visit(schema);
}

function innerSchemas(schema: JsonSchema): JsonSchema[] {
  const { properties, items, additionalProperties, anyOf, oneOf, allOf, not } = schema;
  const lists = [anyOf, oneOf, allOf].filter((list) => Array.isArray(list)).flat() as unknown[];
  const named = Object.values((properties ?? {}) as Record<string, unknown>);
  const found = [...named, items, additionalProperties, ...lists, not];
  return found.filter((each): each is JsonSchema => typeof each === 'object' && each !== null);
}

export const refTo = (name: string): string => `#/components/schemas/${name}`;
export const nameOfRef = (ref: unknown): string => String(ref).split('/').at(-1)!;
