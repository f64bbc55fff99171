import { bufferView } from '../kernel/buffer-view.js';
import { markBytesOf } from '../kernel/utf8.js';

/**
 * For an interpreter that treats a byte order mark and the \r of Windows line ends as part of a command. A file whose
 * first line ends in \r\n comes from Windows; in any other file, \r\n is there on purpose.
 */
export function withUnixLineEnds(script: Uint8Array): Uint8Array {
  const bytes = bufferView(script);
  const text = bytes.subarray(markBytesOf(bytes));
  if (text[text.indexOf('\n') - 1] !== 0x0d) return text;
  return Buffer.from(text.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');
}
