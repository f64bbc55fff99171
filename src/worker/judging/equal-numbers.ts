/** How far a number may be from the expected one: by this much, or by this part of the expected one. */
export interface Tolerance {
  readonly absolute: number;
  readonly relative: number;
}

/** The difference of two doubles is not exact: 1.000000001 and 1 differ by a little more than 1e-9. */
const ROUNDING = 2 * Number.EPSILON;

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const INTEGER = /^[+-]?\d+$/;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const NAN = /^[+-]?nan$/i;
/** Longer tokens are compared as text: reading an integer takes the square of its digits. */
const DIGITS_MAX = 4_096;

/** @returns undefined if the text is no number, as printf(3) and most languages write them */
function numberIn(text: string): number | undefined {
  if (text.length > DIGITS_MAX) return undefined;
  if (NUMBER.test(text)) return Number(text);
  const infinity = INFINITY.exec(text);
  if (infinity) return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return NAN.test(text) ? Number.NaN : undefined;
}

/** A double cannot hold all integers: 9007199254740993 would be 9007199254740992. */
function distance(expected: string, found: string): number {
  if (!INTEGER.test(expected) || !INTEGER.test(found)) return Math.abs(Number(expected) - Number(found));
  const difference = integer(expected) - integer(found);
  return Math.abs(Number(difference));
}

const integer = (text: string): bigint => BigInt(text.replace(/^\+/, ''));

/** Texts that are no numbers must be equal. NaN is equal to NaN only, infinity to the same infinity. */
export function areEqualNumbers(expected: string, found: string, { absolute, relative }: Tolerance): boolean {
  if (expected === found) return true;
  const [wanted, given] = [numberIn(expected), numberIn(found)];
  if (wanted === undefined || given === undefined) return false;
  if (!Number.isFinite(wanted) || !Number.isFinite(given)) return Object.is(wanted, given);
  const allowed = Math.max(absolute, relative * Math.abs(wanted));
  const rounding = allowed === 0 ? 0 : ROUNDING * Math.max(Math.abs(wanted), Math.abs(given));
  return distance(expected, found) <= allowed + rounding;
}
