import fc from 'fast-check';

import { alternativesOf, type JsonSchema, nameOf, othersOf } from './json-schema.js';
import type { ValidValues } from './valid-values.js';

/** Replacements for a value that its schema accepts. */
export type Change = (schema: JsonSchema, valid: ValidValues) => readonly fc.Arbitrary<unknown>[];

/** Maximum depth for changes within recursive values. */
const DEPTH_MAX = 6;

/** Values that a schema accepts, except in one place, at any depth. */
export class ChangedValues {
  constructor(
    private readonly valid: ValidValues,
    private readonly change: Change,
  ) {}

  /** Unchanged if there is nothing to change. */
  of(schema: JsonSchema): fc.Arbitrary<unknown> {
    const places = this.places(schema, 0);
    return places.length === 0 ? this.valid.of(schema) : fc.oneof(...places);
  }

  /** Whether there is anything to change in them. */
  canChange(schema: JsonSchema): boolean {
    return this.places(schema, 0).length > 0;
  }

  private places(schema: JsonSchema, depth: number): fc.Arbitrary<unknown>[] {
    if (depth > DEPTH_MAX) return [];
    if (schema.$ref !== undefined) return this.places(this.valid.schemas[nameOf(schema.$ref)]!, depth + 1);
    return [...this.change(schema, this.valid), ...this.placesWithin(schema, depth + 1)];
  }

  private placesWithin(schema: JsonSchema, depth: number): fc.Arbitrary<unknown>[] {
    const alternatives = alternativesOf(schema);
    if (alternatives) return alternatives.flatMap((each) => this.oneOf(each, depth));
    if (schema.type === 'array') {
      return this.oneOf(schema.items ?? {}, depth).map((items) =>
        fc
          .tuple(this.valid.of({ ...schema, nullable: false }), items)
          .map(([list, item]) => [item, ...(list as unknown[]).slice(1)]),
      );
    }
    if (schema.type !== 'object') return [];
    const named = Object.entries(schema.properties ?? {}).flatMap(([name, each]) =>
      this.oneOf(each, depth).map((values) => this.withMember(schema, fc.constant(name), values)),
    );
    const others = othersOf(schema);
    if (!others) return named;
    const unnamed = this.oneOf(others, depth).map((values) => this.withMember(schema, fc.string(), values));
    return [...named, ...unnamed];
  }

  /** All places below, as one: a field with many members is changed as often as a field with one. */
  private oneOf(schema: JsonSchema, depth: number): fc.Arbitrary<unknown>[] {
    const places = this.places(schema, depth);
    return places.length === 0 ? [] : [fc.oneof(...places)];
  }

  private withMember(schema: JsonSchema, names: fc.Arbitrary<unknown>, values: fc.Arbitrary<unknown>) {
    return fc
      .tuple(this.valid.of(schema), names, values)
      .map(([whole, name, value]) => ({ ...(whole as object), [String(name)]: value }));
  }
}
