import { randomBytes } from 'node:crypto';

/** The parts of a schema that are needed to make a request. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly pattern?: string;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** Unique texts, each with the field that it was put into. */
export class PlantedSecrets {
  private readonly labels = new Map<string, string>();

  /** @param field such as `register.email` */
  plant(field: string): string {
    const secret = `s3cr3t${randomBytes(12).toString('hex')}`;
    this.labels.set(secret, field);
    return secret;
  }

  /** Adds a secret that was made elsewhere, such as a token. */
  add(secret: string, field: string): void {
    this.labels.set(secret, field);
  }

  get fields(): string[] {
    return [...new Set(this.labels.values())];
  }

  /** The fields whose secrets occur in a text, each once. */
  foundIn(text: string): string[] {
    const found = [...this.labels].filter(([secret]) => text.includes(secret)).map(([, field]) => field);
    return [...new Set(found)].sort();
  }

  /** A value of a schema with all optional members, and a secret in every text that allows one. */
  valueOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, field: string): unknown {
    const { $ref, properties, items, additionalProperties } = schema;
    const [first] = schema.anyOf ?? schema.oneOf ?? schema.allOf ?? [];
    if ($ref !== undefined) return this.valueOf(schemas[$ref.split('/').at(-1)!]!, schemas, field);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return schema.enum[0];
    if (properties) {
      const members = Object.entries(properties);
      return Object.fromEntries(
        members.map(([name, member]) => [name, this.valueOf(member, schemas, `${field}.${name}`)]),
      );
    }
    if (first) return this.valueOf(first, schemas, field);
    const [type] = [schema.type].flat();
    if (type === 'array') return items ? [this.valueOf(items, schemas, field)] : [];
    if (type === 'object') return this.recordOf(additionalProperties, schemas, field);
    if (type === 'integer' || type === 'number') return schema.default ?? schema.minimum ?? 1;
    if (type === 'boolean') return false;
    if (type === 'string' && schema.format === 'date-time') return '2026-01-01T00:00:00Z';
    return this.plant(field);
  }

  private recordOf(
    values: Schema | boolean | undefined,
    schemas: Readonly<Record<string, Schema>>,
    field: string,
  ): Record<string, unknown> {
    const name = `N${this.plant(`${field}{name}`)}`;
    return { [name]: typeof values === 'object' ? this.valueOf(values, schemas, field) : this.plant(field) };
  }
}
