/**
 * Frees the memory of these bytes now. The garbage collector reacts to memory outside its heap only after 64 MiB of
 * it, and a process that passes on much larger amounts grows by that much.
 *
 * Only for bytes that nobody needs any more: every view of the same memory is empty afterwards. Bytes that share their
 * memory with others (Node's pool, a part of a larger buffer) are left alone.
 */
export function detachBuffer(bytes: Uint8Array): void {
  const memory = bytes.buffer;
  if (!(memory instanceof ArrayBuffer) || memory.detached || memory.byteLength !== bytes.byteLength) return;
  memory.transfer(0);
}
