import { createHash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const PREFIX = 'vr_';
const RANDOM_BYTES = 32;
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62⁴³ > 2²⁵⁶, and 62⁶ > 2³². */
const RANDOM_CHARS = 43;
const CHECKSUM_CHARS = 6;
const PATTERN = new RegExp(`^${PREFIX}([0-9A-Za-z]{${RANDOM_CHARS}})([0-9A-Za-z]{${CHECKSUM_CHARS}})$`);
/** What a list shows, so that its owner recognises it: 24 of 256 bits. */
const SHOWN_CHARS = PREFIX.length + 4;

/**
 * A new API key: `vr_`, 256 random bits, and their CRC-32, in base62. With the checksum, a mistyped key is refused
 * without a look-up, and a scanner for leaked secrets recognises a real one.
 */
export function newKeyText(): string {
  const random = base62(BigInt(`0x${randomBytes(RANDOM_BYTES).toString('hex')}`), RANDOM_CHARS);
  return `${PREFIX}${random}${checksumOf(random)}`;
}

/** Whether somebody means it as a key: it may be mistyped. */
export const looksLikeKey = (text: string): boolean => text.startsWith(PREFIX);

/** Whether it is well-formed, and its checksum is right. */
export function isKeyText(text: string): boolean {
  const [, random, checksum] = PATTERN.exec(text) ?? [];
  return random !== undefined && checksumOf(random) === checksum;
}

/** The stored form. A key is random enough for a plain hash. */
export const keyHashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** The part that may be shown. */
export const keyPrefixOf = (key: string): string => key.slice(0, SHOWN_CHARS);

const checksumOf = (random: string): string => base62(BigInt(crc32(random)), CHECKSUM_CHARS);

function base62(value: bigint, chars: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = DIGITS[Number(rest % 62n)]! + text;
  return text.padStart(chars, DIGITS[0]);
}
