/** The same bytes with the methods of a buffer; `Buffer.from(bytes)` would copy them. */
export const bufferView = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
