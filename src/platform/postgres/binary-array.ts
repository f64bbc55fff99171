/**
 * One-dimensional arrays without NULLs in the binary format of Postgres (src/backend/utils/adt/arrayfuncs.c,
 * array_recv). As text, JSON in an array is escaped a second time here and unescaped there. Measured with batches of
 * 64 events, binary takes about half the time on this side, and a quarter less on the server.
 */

export interface ElementType<Value> {
  /** pg_type.oid: those of built-in types never change. */
  readonly oid: number;
  /** An upper bound that is cheap to compute. */
  bytesMax(value: Value): number;
  /** @returns the end offset */
  write(value: Value, target: Buffer, offset: number): number;
}

/** Bytes of UTF-8 for one UTF-16 unit, at most. */
const UNIT_BYTES_MAX = 3;
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const JSONB_FORMAT = 1;

export const int4: ElementType<number> = {
  oid: 23,
  bytesMax: () => 4,
  write: (value, target, offset) => target.writeInt32BE(value, offset),
};

export const int2: ElementType<number> = {
  oid: 21,
  bytesMax: () => 2,
  write: (value, target, offset) => target.writeInt16BE(value, offset),
};

export const text: ElementType<string> = {
  oid: 25,
  bytesMax: (value) => value.length * UNIT_BYTES_MAX,
  write: (value, target, offset) => offset + target.write(value, offset),
};

export const uuid: ElementType<string> = {
  oid: 2950,
  bytesMax: () => UUID_BYTES,
  write: writeUuid,
};

export const bytea: ElementType<Uint8Array> = {
  oid: 17,
  bytesMax: (value) => value.length,
  write: (value, target, offset) => {
    target.set(value, offset);
    return offset + value.length;
  },
};

/** The values are JSON text. */
export const jsonb: ElementType<string> = {
  oid: 3802,
  bytesMax: (value) => value.length * UNIT_BYTES_MAX + 1,
  write: (value, target, offset) => {
    const start = target.writeUInt8(JSONB_FORMAT, offset);
    return start + target.write(value, start);
  },
};

/** The value of one query parameter, for pg and for callPrepared. */
export class BinaryArray<Value> {
  /** An array of what `pick` takes from each row. */
  static of<Row, Value>(type: ElementType<Value>, rows: readonly Row[], pick: (row: Row) => Value): BinaryArray<Value> {
    return new BinaryArray(type, rows.map(pick));
  }

  constructor(
    private readonly type: ElementType<Value>,
    private readonly values: readonly Value[],
  ) {}

  /** pg calls this on each value that has it (pg/lib/utils.js, prepareValue). */
  toPostgres(): Buffer {
    const { type, values } = this;
    let bytesMax = HEADER_BYTES + LENGTH_BYTES * values.length;
    for (const value of values) bytesMax += type.bytesMax(value);
    const target = Buffer.allocUnsafe(bytesMax);
    const dimensions = 1;
    const hasNulls = 0;
    const lowerBound = 1;
    let offset = 0;
    for (const field of [dimensions, hasNulls, type.oid, values.length, lowerBound]) {
      offset = target.writeInt32BE(field, offset);
    }
    for (const value of values) {
      const element = offset + LENGTH_BYTES;
      const end = type.write(value, target, element);
      target.writeInt32BE(end - element, offset);
      offset = end;
    }
    return target.subarray(0, offset);
  }
}

const UUID_BYTES = 16;
const HYPHEN = 0x2d;

/** The value of the code of a hex digit, in either case; -1 for every other code. */
const NIBBLES = new Int8Array(128).fill(-1);
for (const digit of '0123456789abcdefABCDEF') NIBBLES[digit.charCodeAt(0)] = Number.parseInt(digit, 16);

const nibble = (code: number): number => NIBBLES[code] ?? -1;

/** Digit by digit: removing the hyphens and writing the string as hex takes four times as long. */
function writeUuid(value: string, target: Buffer, start: number): number {
  let offset = start;
  let digits = 0;
  for (let index = 0; index < value.length; index += 2) {
    if (value.charCodeAt(index) === HYPHEN) index += 1;
    const high = nibble(value.charCodeAt(index));
    const low = nibble(value.charCodeAt(index + 1));
    digits |= high | low;
    target[offset] = (high << 4) | low;
    offset += 1;
  }
  if (digits < 0 || offset - start !== UUID_BYTES) throw new Error(`${JSON.stringify(value)} is not a UUID`);
  return offset;
}
