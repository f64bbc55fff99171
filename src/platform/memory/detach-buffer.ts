/**
 * Frees the memory of these bytes now. The garbage collector hears of memory outside its heap only when 64 MiB of it have
 * come together, and a process that passes on much larger amounts grows by that much.
 *
 * Only for bytes that nobody needs any more: every view of the same memory is empty afterwards. Bytes that share theirs
 * with others (Node's pool, a part of a larger buffer) are left alone.
 */
export function detachBuffer(bytes: Uint8Array): void {
  const memory = bytes.buffer;
  if (!(memory instanceof ArrayBuffer) || memory.detached || memory.byteLength !== bytes.byteLength) return;
  memory.transfer(0);
}
