/** Arguments of one call: more overflow the stack. A multiple of 3, so that the parts can be joined. */
const PART_BYTES = 3 * 4_096;

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let begin = 0; begin < bytes.length; begin += PART_BYTES) {
    text += btoa(String.fromCharCode(...bytes.subarray(begin, begin + PART_BYTES)));
  }
  return text;
}
