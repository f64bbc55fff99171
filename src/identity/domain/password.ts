import { charsOf, normalText } from './normal-text.js';

export const PASSWORD_CHARS_MIN = 8;
export const PASSWORD_CHARS_MAX = 128;

/** Every Unicode space: on some keyboards, Alt and space produce U+00A0. */
const SPACES = /\p{Zs}/gu;

/**
 * The form of a password that is hashed and compared: OpaqueString (RFC 8265, section 4.2) with NFKC instead of NFC, as
 * NIST SP 800-63B (section 5.1.1.2) recommends. Every space becomes U+0020, case is kept, nothing is trimmed. NFKC also
 * equates full-width and half-width forms, because input methods switch between them unnoticed.
 *
 * Unlike OpaqueString it rejects no character: the set of assigned characters depends on the Unicode version, and an
 * emoji that is newer than the server's tables is a valid password.
 * @returns null if the password is longer than the maximum
 */
export const preparedPassword = (typed: string): string | null =>
  normalText(typed.replaceAll(SPACES, ' '), 'NFKC', PASSWORD_CHARS_MAX);

/** The length that limits apply to: the characters of the hashed form. */
export function passwordChars(typed: string): number {
  const prepared = preparedPassword(typed);
  return prepared === null ? Infinity : charsOf(prepared);
}
