import { nextCharacter, wholeCharacters } from '../kernel/utf8.js';
import { OUTPUT_BYTES_MAX } from './limits.js';

/** Text of a part of an output, and where it ends, in bytes. */
export interface OutputPart {
  readonly text: string;
  readonly end: number;
}

/**
 * Whole characters from an offset on. Bytes that are not UTF-8 become U+FFFD.
 * @param offset beyond the end is the end
 */
export function partFrom(bytes: Uint8Array, offset: number, bytesMax = OUTPUT_BYTES_MAX): OutputPart {
  const start = Math.min(offset, bytes.length);
  const part = bytes.subarray(start, start + bytesMax);
  const isLast = start + part.length === bytes.length;
  // An incomplete character at the end of the output has no rest.
  const length = isLast ? part.length : wholeCharacters(part);
  return { text: textOf(part.subarray(0, length)), end: start + length };
}

/** The beginning and the end of an output that is too long, and between them how to read on. */
export function headAndTail(bytes: Uint8Array, id: string, stream: string): string {
  if (bytes.length <= OUTPUT_BYTES_MAX) return textOf(bytes);
  const head = partFrom(bytes, 0, OUTPUT_BYTES_MAX / 2);
  const tailAt = nextCharacter(bytes, bytes.length - OUTPUT_BYTES_MAX / 2);
  const next = JSON.stringify({ execution_id: id, stream, offset: head.end });
  const gap = `[${tailAt - head.end} bytes left out. To read on: get_execution ${next}]`;
  return `${head.text}\n${gap}\n${textOf(bytes.subarray(tailAt))}`;
}

/** The beginning of a text that cannot be read on. */
export const shortened = (text: string, charsMax: number): string =>
  text.length <= charsMax ? text : `${text.slice(0, charsMax)}\n[${text.length - charsMax} characters left out]`;

const textOf = (bytes: Uint8Array): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
