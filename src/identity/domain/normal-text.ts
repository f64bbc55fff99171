/**
 * A normalised character comes from at most four code points (UAX 15, "Expansion factors"), and a code point from at
 * most two UTF-16 units.
 */
const UNITS_PER_CHAR_MAX = 8;

/** Characters as people count them in limits: code points, as in JSON Schema. */
export const charsOf = (text: string): number => [...text].length;

/**
 * Text in a Unicode normal form. The same text is typed as different code points on different machines: `ä` is one on
 * Linux and Windows, and two where macOS hands out file names.
 * @returns null for text that has more than `charsMax` characters in any form. It is not normalised: the time for
 *   combining marks grows with the square of their number
 */
export function normalText(text: string, form: 'NFC' | 'NFKC', charsMax: number): string | null {
  return text.length > charsMax * UNITS_PER_CHAR_MAX ? null : text.normalize(form);
}
