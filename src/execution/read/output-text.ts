import type { OutputRef } from '../domain/execution-events.js';

/** What a byte of UTF-8 says of its character. */
const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80;
const CONTINUATIONS_MAX = 3;

/**
 * The text of a stored output; U+FFFD stands for what is not UTF-8. Where bytes between the head and the tail were not
 * kept, a line of its own says how many, and neither side ends in a part of a character.
 */
export function outputText(content: Uint8Array, output: OutputRef): string {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  const { head_bytes } = output;
  if (head_bytes === undefined || output.bytes_total <= bytes.length) return bytes.toString('utf8');
  const head = bytes.subarray(0, wholeCharacters(bytes.subarray(0, head_bytes)));
  const tail = bytes.subarray(nextCharacter(bytes, head_bytes));
  const mark = gapMark(output.bytes_total - head.length - tail.length);
  const before = head.toString('utf8');
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${mark}\n${tail.toString('utf8')}`;
}

const gapMark = (bytes: number): string =>
  `… ${bytes.toLocaleString('en-US')} ${bytes === 1 ? 'byte' : 'bytes'} left out …`;

/** @returns how many bytes there are without the part of a character that they end with */
function wholeCharacters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(CONTINUATIONS_MAX, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back]!;
    if (isContinuation(byte)) continue;
    return lengthFrom(byte) > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Of a character, by its first byte. */
function lengthFrom(lead: number): number {
  if (lead >= 0xf8) return 1;
  if (lead >= 0xf0) return 4;
  if (lead >= 0xe0) return 3;
  return lead >= 0xc0 ? 2 : 1;
}

function nextCharacter(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < from + CONTINUATIONS_MAX && isContinuation(bytes[at])) at += 1;
  return at;
}
