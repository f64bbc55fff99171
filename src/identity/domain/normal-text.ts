/**
 * A normalised character is made from at most four code points (UAX 15, "Expansion factors"), and a code point from at
 * most two UTF-16 units.
 */
const UNITS_PER_CHAR_MAX = 8;

/** The number of characters, as limits count them: code points, as in JSON Schema. */
export const charsOf = (text: string): number => [...text].length;

/**
 * Text in a Unicode normal form. Different machines use different code points for the same text: `ä` is one on Linux
 * and Windows, and two in file names of macOS.
 * @returns null for text that has more than `charsMax` characters in any form. Such text is not normalised, because the
 *   time for combining marks grows with the square of their number
 */
export function normalText(text: string, form: 'NFC' | 'NFKC', charsMax: number): string | null {
  return text.length > charsMax * UNITS_PER_CHAR_MAX ? null : text.normalize(form);
}
