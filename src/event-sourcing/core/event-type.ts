import type { z } from 'zod';

import type { PayloadRef } from '../../platform/payloads/payload-store.js';
import type { DomainEvent } from './event.js';

type Upcaster = (data: Record<string, unknown>) => Record<string, unknown>;

/** For a version that only allows more than the previous one. */
export const unchanged: Upcaster = (data) => data;

/** What the store needs to know about an event type, whatever its data. */
export interface StoredEventType {
  readonly type: string;
  /** 1 + the number of upcasters. */
  readonly schemaVersion: number;
  /** Of the data of the newest version. */
  readonly schema: z.ZodType;
  /** What the upcasters add to data of an older version, as a partial object: its fields are those that it lacks. */
  addedSince(schemaVersion: number): Record<string, unknown>;
  /**
   * Upcasts stored data of any historic version. Throws if the data is invalid, or its version is newer than this
   * process knows.
   */
  upcast(data: unknown, schemaVersion: number): unknown;
  /** The payloads that data of the newest version refers to. */
  payloadsOf(data: unknown): readonly PayloadRef[];
}

/** One kind of event: its name, its newest shape, and the upcasters from every older shape. */
export interface EventType<Type extends string, Data> extends StoredEventType {
  readonly type: Type;
  (data: Data): DomainEvent<Type, Data>;
  upcast(data: unknown, schemaVersion: number): Data;
}

/** The union of the events a list of types can make. */
export type EventOf<Types extends Record<string, StoredEventType>> = {
  [Name in keyof Types]: Types[Name] extends EventType<infer Type, infer Data> ? DomainEvent<Type, Data> : never;
}[keyof Types];

interface EventTypeOptions<Data> {
  /** The n-th upcasts version n to n + 1; the newest version follows from their number. */
  readonly upcasters?: readonly Upcaster[];
  /**
   * Reads them from where the service wrote them. They are not found by their shape: the metadata of a task is any
   * JSON.
   */
  readonly payloads?: (data: Data) => readonly (PayloadRef | null | undefined)[];
}

export function eventType<Type extends string, Schema extends z.ZodType>(
  type: Type,
  schema: Schema,
  { upcasters = [], payloads = () => [] }: EventTypeOptions<z.output<Schema>> = {},
): EventType<Type, z.output<Schema>> {
  const newest = upcasters.length + 1;
  const make = (data: z.output<Schema>): DomainEvent<Type, z.output<Schema>> => ({ type, data });
  const upgraded = (data: Record<string, unknown>, schemaVersion: number): Record<string, unknown> =>
    upcasters.slice(schemaVersion - 1).reduce((older, upcaster) => upcaster(older), data);
  const upcast = (data: unknown, schemaVersion: number): z.output<Schema> => {
    if (!Number.isInteger(schemaVersion) || schemaVersion < 1 || schemaVersion > newest) {
      throw new Error(`${type} has no schema version ${schemaVersion}; the newest is ${newest}`);
    }
    return schema.parse(upgraded(data as Record<string, unknown>, schemaVersion));
  };
  const addedSince = (schemaVersion: number) => upgraded({}, schemaVersion);
  const payloadsOf = (data: unknown): readonly PayloadRef[] =>
    payloads(data as z.output<Schema>).filter((ref) => ref !== null && ref !== undefined);
  return Object.assign(make, { type, schemaVersion: newest, schema, addedSince, upcast, payloadsOf });
}
