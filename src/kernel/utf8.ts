const BYTE_ORDER_MARK = Buffer.from('\ufeff');

/** The number of bytes of the byte order mark at the start; 0 if there is none. */
export const markBytesOf = (bytes: Buffer): number =>
  bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;

/** Whether a byte of UTF-8 continues a character. */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
const CONTINUATIONS_MAX = 3;

/** @returns the number of bytes without an incomplete character at the end */
export function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(CONTINUATIONS_MAX, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (isContinuation(byte)) continue;
    return lengthFrom(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** The length of a character, from its first byte. */
function lengthFrom(lead: number): number {
  if (lead >= 0xf8) return 1;
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

/** @returns the offset of the first character that begins there or later */
export function nextCharacter(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < from + CONTINUATIONS_MAX && isContinuation(bytes[at])) at += 1;
  return at;
}
