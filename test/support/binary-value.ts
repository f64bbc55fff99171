import type { BinaryValue } from '../../src/platform/postgres/call-message.js';

/** Bytes as a parameter. That it may be longer is true of texts: nobody counts their bytes beforehand. */
export const binaryValue = (bytes: Buffer): BinaryValue => ({
  bytesMax: bytes.length + 3,
  write: (target, offset) => offset + bytes.copy(target, offset),
});
