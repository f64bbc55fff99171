/** A multiple of 4, so that each piece can be decoded by itself. */
const CHARS_AT_A_TIME = 64 * 1024;
const decoded = Buffer.allocUnsafeSlow((CHARS_AT_A_TIME / 4) * 3);

/**
 * Whether the text is base64 (RFC 4648, section 4), with its padding. Node's decoder skips what is none of it, so the
 * number of bytes tells. For 21 MiB: 15 ms, where a regular expression takes 400 and the one of zod half a second.
 */
export function isBase64(text: string): boolean {
  if (text.length % 4 !== 0) return false;
  // Node also decodes the alphabet for URLs, and looks only at the lowest byte of other characters.
  if (text.includes('-') || text.includes('_') || Buffer.byteLength(text) !== text.length) return false;
  for (let at = 0; at < text.length; at += CHARS_AT_A_TIME) {
    const piece = text.slice(at, at + CHARS_AT_A_TIME);
    const bytes = at + CHARS_AT_A_TIME < text.length ? decoded.length : Buffer.byteLength(piece, 'base64');
    if (decoded.write(piece, 'base64') !== bytes) return false;
  }
  return true;
}
