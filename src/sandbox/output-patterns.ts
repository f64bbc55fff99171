/** As in infra/launcher/globs.h. */
export const PATTERNS_MAX = 16;
export const PATTERN_BYTES_MAX = 255;
const PARTS_MAX = 32;

/**
 * Whether the launcher takes a pattern of paths: relative, inside the working folder. infra/launcher/globs.h says what
 * it matches.
 */
export function isOutputPattern(pattern: string): boolean {
  if (pattern.includes('\0') || Buffer.byteLength(pattern) > PATTERN_BYTES_MAX) return false;
  const parts = pattern.split('/');
  // A last part `**` counts twice: it is `**/*`.
  const count = parts.length + (parts.at(-1) === '**' ? 1 : 0);
  return count <= PARTS_MAX && parts.every((part) => part !== '' && part !== '.' && part !== '..');
}
