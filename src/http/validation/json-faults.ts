import type { FieldError } from '../problem.js';
import { fieldNameOf } from './field-errors.js';

interface Level {
  /** Of an object, those seen so far; null for an array. */
  readonly names: Set<string> | null;
  /** Where in it the text is: the name of a member, or an index. */
  at: string | number;
  expectsName: boolean;
}

/** A number of so many characters, without an exponent, has few enough digits for a double to keep them all. */
const KEPT_CHARS_MAX = 15;

/**
 * What JSON.parse would change without a word: a number that a double cannot hold, the first of two members of one
 * name. And `__proto__`, which means something else to whoever copies a member by assignment.
 * @param text well-formed JSON, nested no deeper than is bearable
 * @returns the first; undefined for none
 */
export function jsonFaultOf(text: string): FieldError | undefined {
  const levels: Level[] = [];
  const fault = (tag: string, message: string): FieldError => ({
    field: fieldNameOf(levels.map(({ at }) => at)),
    value: '',
    tag,
    message,
  });
  for (let index = 0; index < text.length;) {
    const char = text[index]!;
    const level = levels.at(-1);
    if (char === '"') {
      const end = endOfString(text, index);
      if (level?.expectsName) {
        const found = nameFault(level, nameIn(text, index, end));
        if (found) return fault(...found);
      }
      index = end;
    } else if (char === '-' || (char >= '0' && char <= '9')) {
      const end = endOfNumber(text, index);
      const literal = text.slice(index, end);
      if (!survives(literal)) return fault('number', lossMessage(literal));
      index = end;
    } else {
      if (char === '{') levels.push({ names: new Set(), at: '', expectsName: true });
      else if (char === '[') levels.push({ names: null, at: 0, expectsName: false });
      else if (char === '}' || char === ']') levels.pop();
      else if (char === ',' && level) next(level);
      index += 1;
    }
  }
  return undefined;
}

function next(level: Level): void {
  if (level.names) level.expectsName = true;
  else level.at = Number(level.at) + 1;
}

/** Moves on to the member of that name. */
function nameFault(level: Level, name: string): [tag: string, message: string] | undefined {
  const isRepeated = level.names!.has(name);
  level.names!.add(name);
  level.at = name;
  level.expectsName = false;
  if (name === '__proto__') return ['forbidden', 'Must not be named __proto__'];
  return isRepeated ? ['duplicate', 'Must be there once'] : undefined;
}

function nameIn(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

/** @returns behind its closing quotation mark: the first with an even number of backslashes before it */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text[end - 1 - backslashes] === '\\') backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
}

const IN_NUMBER = new Set('0123456789+-.eE');

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && IN_NUMBER.has(text[end]!)) end += 1;
  return end;
}

const HAS_EXPONENT = /e/i;

/** Whether the value that is read is the value that was written: 1e2 is 100, and 1.0 is 1. */
function survives(literal: string): boolean {
  if (literal.length <= KEPT_CHARS_MAX && !HAS_EXPONENT.test(literal)) return true;
  const value = Number(literal);
  return Number.isFinite(value) && decimalOf(literal) === decimalOf(String(value));
}

function lossMessage(literal: string): string {
  const value = Number(literal);
  const becomes = Number.isFinite(value) ? `would be read as ${value}` : 'is too large';
  return `A double-precision number cannot hold it: it ${becomes}. Send it as text`;
}

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i;

/** One notation for each value. */
function decimalOf(literal: string): string {
  const [, sign, whole, fraction = '', exponent = '0'] = NUMBER.exec(literal)!;
  const digits = whole! + fraction;
  let first = 0;
  while (digits[first] === '0') first += 1;
  let last = digits.length;
  while (last > first && digits[last - 1] === '0') last -= 1;
  if (first === last) return '0';
  const power = Number(exponent) - fraction.length + (digits.length - last);
  return `${sign}${digits.slice(first, last)}e${power}`;
}
