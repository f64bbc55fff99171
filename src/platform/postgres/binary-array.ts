/**
 * One-dimensional arrays without NULLs in Postgres' binary format (src/backend/utils/adt/arrayfuncs.c, array_recv): pg
 * sends a Buffer as it is. As text, JSON in an array is escaped a second time here and unescaped there; measured with
 * batches of 64 events, binary takes about half the time on this side, and a quarter less on the server's.
 */

export interface ElementType<Value> {
  /** pg_type.oid: those of built-in types never change. */
  readonly oid: number;
  bytes(value: Value): number;
  /** @returns where it ends */
  write(value: Value, target: Buffer, offset: number): number;
}

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const JSONB_FORMAT = 1;

export const int4: ElementType<number> = {
  oid: 23,
  bytes: () => 4,
  write: (value, target, offset) => target.writeInt32BE(value, offset),
};

export const int2: ElementType<number> = {
  oid: 21,
  bytes: () => 2,
  write: (value, target, offset) => target.writeInt16BE(value, offset),
};

export const text: ElementType<string> = {
  oid: 25,
  bytes: (value) => Buffer.byteLength(value),
  write: (value, target, offset) => offset + target.write(value, offset),
};

export const uuid: ElementType<string> = {
  oid: 2950,
  bytes: () => 16,
  write: (value, target, offset) => offset + target.write(value.replaceAll('-', ''), offset, 'hex'),
};

export const bytea: ElementType<Uint8Array> = {
  oid: 17,
  bytes: (value) => value.length,
  write: (value, target, offset) => {
    target.set(value, offset);
    return offset + value.length;
  },
};

/** The values are JSON text. */
export const jsonb: ElementType<string> = {
  oid: 3802,
  bytes: (value) => Buffer.byteLength(value) + 1,
  write: (value, target, offset) => {
    const start = target.writeUInt8(JSONB_FORMAT, offset);
    return start + target.write(value, start);
  },
};

/** @returns the value of one query parameter: what `pick` takes from each row */
export function binaryArray<Row, Value>(
  type: ElementType<Value>,
  rows: readonly Row[],
  pick: (row: Row) => Value,
): Buffer {
  let bytes = HEADER_BYTES + LENGTH_BYTES * rows.length;
  for (const row of rows) bytes += type.bytes(pick(row));
  const target = Buffer.allocUnsafe(bytes);
  const dimensions = 1;
  const hasNulls = 0;
  const lowerBound = 1;
  let offset = 0;
  for (const field of [dimensions, hasNulls, type.oid, rows.length, lowerBound]) {
    offset = target.writeInt32BE(field, offset);
  }
  for (const row of rows) {
    const start = offset + LENGTH_BYTES;
    const end = type.write(pick(row), target, start);
    target.writeInt32BE(end - start, offset);
    offset = end;
  }
  return target;
}
