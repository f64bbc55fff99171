import { bufferView } from '../../kernel/buffer-view.js';
import { nextCharacter, wholeCharacters } from '../../kernel/utf8.js';
import type { OutputRef } from '../domain/execution-events.js';

/** The stored bytes before and after a gap. */
interface Gap {
  readonly headBytes: number;
  readonly tailBytes: number;
}

/**
 * The text of a stored output; U+FFFD replaces what is not UTF-8. If bytes between the head and the tail were not
 * stored, or do not fit, a separate line says how many. Neither side is cut inside a character.
 * @param bytesMax of stored bytes, without that line
 */
export function outputText(content: Uint8Array, output: OutputRef, bytesMax = Number.POSITIVE_INFINITY): string {
  const bytes = bufferView(content);
  const gap = gapOf(bytes.length, output, bytesMax);
  if (gap === null) return bytes.toString('utf8');
  const head = bytes.subarray(0, wholeCharacters(bytes.subarray(0, gap.headBytes)));
  const tail = bytes.subarray(nextCharacter(bytes, bytes.length - gap.tailBytes));
  const mark = gapMark(output.bytes_total - head.length - tail.length);
  const before = head.toString('utf8');
  return `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}${mark}\n${tail.toString('utf8')}`;
}

/** @returns null if there is none, or if it is unknown where */
function gapOf(bytes: number, { bytes_total, head_bytes }: OutputRef, bytesMax: number): Gap | null {
  const kept = head_bytes === undefined || bytes_total <= bytes ? null : { head: head_bytes, tail: bytes - head_bytes };
  if (bytes <= bytesMax) return kept && { headBytes: kept.head, tailBytes: kept.tail };
  // If the output has no gap, both sides come from the whole.
  const { head, tail } = kept ?? { head: bytes, tail: bytes };
  const headBytes = Math.min(head, Math.max(Math.ceil(bytesMax / 2), bytesMax - tail));
  return { headBytes, tailBytes: bytesMax - headBytes };
}

const gapMark = (bytes: number): string =>
  `… ${bytes.toLocaleString('en-US')} ${bytes === 1 ? 'byte' : 'bytes'} left out …`;
