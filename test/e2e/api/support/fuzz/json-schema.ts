/** A schema of the document: OpenAPI 3.0, as far as it is used. */
export interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly oneOf?: readonly JsonSchema[];
}

/** The document's components. */
export type Schemas = Readonly<Record<string, JsonSchema>>;

export const nameOf = ($ref: string): string => $ref.split('/').at(-1)!;

const UNDERSTOOD = new Set([
  ...['$ref', 'type', 'enum', 'nullable', 'format', 'pattern', 'minimum', 'maximum'],
  ...['exclusiveMinimum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'items'],
  ...['minProperties', 'maxProperties', 'properties', 'required', 'additionalProperties', 'anyOf', 'oneOf'],
  // Keywords without an effect on validity.
  ...['default', 'description', 'discriminator', 'example'],
]);

/** @throws Error for a schema with keywords that are not implemented here */
export function requireUnderstood(schema: JsonSchema): void {
  const unknown = Object.keys(schema).filter((keyword) => !UNDERSTOOD.has(keyword));
  if (unknown.length > 0) throw new Error(`no values are made by ${unknown.join(', ')} of a schema`);
}

/** A hundredth is the smallest step of a number in this API. */
export const stepOf = ({ type }: JsonSchema): number => (type === 'integer' ? 1 : 0.01);

/** The alternatives of a value. */
export const alternativesOf = ({ anyOf, oneOf }: JsonSchema): readonly JsonSchema[] | undefined => anyOf ?? oneOf;

/** The schema of members without a name in the schema; undefined if there may be none. */
export function othersOf({ additionalProperties }: JsonSchema): JsonSchema | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined;
}
