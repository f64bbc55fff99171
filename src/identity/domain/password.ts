import { charsOf, normalText } from './normal-text.js';

export const PASSWORD_CHARS_MIN = 8;
export const PASSWORD_CHARS_MAX = 128;

/** Every space of Unicode: some keyboards give U+00A0 for a space with Alt held down. */
const SPACES = /\p{Zs}/gu;

/**
 * A password as it is hashed and compared: OpaqueString (RFC 8265, section 4.2) with NFKC in place of NFC, as NIST
 * SP 800-63B (section 5.1.1.2) asks for. Every space becomes U+0020, case stays, nothing is trimmed. NFKC also equates
 * full-width and half-width forms, between which input methods switch unseen.
 *
 * Unlike OpaqueString it refuses no character: which are assigned depends on the version of Unicode, and an emoji newer
 * than the server's tables is a good password.
 * @returns null where it is longer than any password may be
 */
export const preparedPassword = (typed: string): string | null =>
  normalText(typed.replaceAll(SPACES, ' '), 'NFKC', PASSWORD_CHARS_MAX);

/** The length that limits are about: in characters, of what is hashed. */
export function passwordChars(typed: string): number {
  const prepared = preparedPassword(typed);
  return prepared === null ? Infinity : charsOf(prepared);
}
