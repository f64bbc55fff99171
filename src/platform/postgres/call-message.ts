/** A parameter in binary format. */
export interface BinaryValue {
  readonly bytesMax: number;
  /** @returns the end offset */
  write(target: Buffer, offset: number): number;
}

/** A parameter: text as Postgres would print it, or binary format. */
export type CallValue = string | number | boolean | BinaryValue;

const LENGTH_BYTES = 4;
const SHORT_BYTES = 2;
const TEXT_FORMAT = 0;
const BINARY_FORMAT = 1;
/** Bytes of UTF-8 for one UTF-16 unit, at most. */
export const UNIT_BYTES_MAX = 3;

/** Execute on the unnamed portal without a row limit, and Sync. */
const EXECUTE_AND_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);

/** Messages are built here: their length is known once they are written. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * Bind, Execute and Sync for a prepared statement in one piece, to be written at once; rows return as text (PostgreSQL
 * manual, 55.7 Message Formats). Describe is left out: the caller knows the row.
 */
export function callMessage(statement: string, values: readonly CallValue[]): Buffer {
  const texts = values.map(textOf);
  let bytesMax = 64 + statement.length * UNIT_BYTES_MAX + (SHORT_BYTES + LENGTH_BYTES) * texts.length;
  for (const value of texts) bytesMax += typeof value === 'string' ? value.length * UNIT_BYTES_MAX : value.bytesMax;
  if (bytesMax > scratch.length) {
    const message = Buffer.allocUnsafe(bytesMax);
    return message.subarray(0, writeCall(message, statement, texts));
  }
  return Buffer.from(scratch.subarray(0, writeCall(scratch, statement, texts)));
}

const textOf = (value: CallValue): string | BinaryValue => (typeof value === 'object' ? value : String(value));

/** @returns the end offset */
function writeCall(message: Buffer, statement: string, values: readonly (string | BinaryValue)[]): number {
  const portal = '';
  const resultFormats = 0;
  message.write('B');
  let offset = 1 + LENGTH_BYTES;
  offset += message.write(`${portal}\0${statement}\0`, offset);
  offset = message.writeUInt16BE(values.length, offset);
  for (const value of values) {
    offset = message.writeUInt16BE(typeof value === 'string' ? TEXT_FORMAT : BINARY_FORMAT, offset);
  }
  offset = message.writeUInt16BE(values.length, offset);
  for (const value of values) {
    const start = offset + LENGTH_BYTES;
    const end = typeof value === 'string' ? start + message.write(value, start) : value.write(message, start);
    message.writeInt32BE(end - start, offset);
    offset = end;
  }
  offset = message.writeUInt16BE(resultFormats, offset);
  message.writeInt32BE(offset - 1, 1);
  return offset + EXECUTE_AND_SYNC.copy(message, offset);
}
