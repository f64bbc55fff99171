import { areEqualNumbers, type Tolerance } from './equal-numbers.js';
import { type Line, tokensOf, trimmedLinesOf } from './output-words.js';

/** How the output of a test is compared with what is expected. A checker is a program, and is not compared here. */
export type Comparison =
  | { readonly compare: 'exact' | 'trimmed' | 'tokens' | 'unordered_lines' }
  | { readonly compare: 'numbers'; readonly tolerance: Tolerance };

/** Of a message, which shows at most this much of each side. */
const SHOWN_BYTES_MAX = 60;

/** @returns null if the output is as expected; otherwise the first difference, for people, of at most 200 characters */
export function differenceOf(comparison: Comparison, expected: Buffer, found: Buffer): string | null {
  switch (comparison.compare) {
    case 'exact':
      return expected.equals(found) ? null : firstDifference(expected, found);
    case 'trimmed':
      return unequalParts('line', trimmedLinesOf(expected), trimmedLinesOf(found), areSame);
    case 'tokens':
      return unequalParts('token', tokensOf(expected), tokensOf(found), areSame);
    case 'numbers': {
      const areEqual = (one: Buffer, other: Buffer): boolean =>
        areEqualNumbers(one.toString('latin1'), other.toString('latin1'), comparison.tolerance);
      return unequalParts('token', tokensOf(expected), tokensOf(found), areEqual);
    }
    case 'unordered_lines':
      return unequalSets(trimmedLinesOf(expected), trimmedLinesOf(found));
  }
}

const areSame = (one: Buffer, other: Buffer): boolean => one.equals(other);

function firstDifference(expected: Buffer, found: Buffer): string {
  const length = Math.min(expected.length, found.length);
  let at = 0;
  while (at < length && expected[at] === found[at]) at += 1;
  return `byte ${at}: expected ${shown(expected.subarray(at))}, found ${shown(found.subarray(at))}`;
}

function unequalParts(
  name: 'line' | 'token',
  expected: Iterator<Line>,
  found: Iterator<Line>,
  areEqual: (one: Buffer, other: Buffer) => boolean,
): string | null {
  for (;;) {
    const [wanted, given] = [expected.next(), found.next()];
    if (wanted.done && given.done) return null;
    if (given.done) return `expected a further ${name}: ${shown((wanted.value as Line).bytes)}`;
    const where = `line ${given.value.number}`;
    if (wanted.done) return `${where}: no further ${name} is expected, found ${shown(given.value.bytes)}`;
    const { bytes } = wanted.value;
    if (!areEqual(bytes, given.value.bytes))
      return `${where}: expected ${shown(bytes)}, found ${shown(given.value.bytes)}`;
  }
}

/** By the number of times that each line occurs. */
function unequalSets(expected: Iterable<Line>, found: Iterable<Line>): string | null {
  const missing = new Map<string, number>();
  for (const { bytes } of expected) {
    const line = bytes.toString('latin1');
    missing.set(line, (missing.get(line) ?? 0) + 1);
  }
  for (const { number, bytes } of found) {
    const line = bytes.toString('latin1');
    const left = missing.get(line);
    if (left === undefined) return `line ${number}: not expected, or not so often: ${shown(bytes)}`;
    if (left === 1) missing.delete(line);
    else missing.set(line, left - 1);
  }
  for (const line of missing.keys()) return `expected a further line: ${shown(Buffer.from(line, 'latin1'))}`;
  return null;
}

/** In quotation marks, as JSON writes it; cut if it is long. */
function shown(bytes: Buffer): string {
  const text = bytes.subarray(0, SHOWN_BYTES_MAX).toString('utf8');
  const cut = bytes.length > SHOWN_BYTES_MAX ? '…' : '';
  return bytes.length === 0 ? 'nothing' : `${JSON.stringify(text).slice(0, SHOWN_BYTES_MAX + 2)}${cut}`;
}
