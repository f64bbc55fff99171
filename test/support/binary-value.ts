import type { BinaryValue } from '../../src/platform/postgres/call-message.js';

/** Bytes as a parameter of a query. As for texts, whose bytes are not counted beforehand, `bytesMax` is too large. */
export const binaryValue = (bytes: Buffer): BinaryValue => ({
  bytesMax: bytes.length + 3,
  write: (target, offset) => offset + bytes.copy(target, offset),
});
