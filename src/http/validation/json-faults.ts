import type { FieldError } from '../problem.js';
import { fieldNameOf } from './field-errors.js';

interface Level {
  /** The member names of an object that were seen so far; null for an array. */
  readonly names: Set<string> | null;
  /** The current place: the name of a member, or an index. */
  at: string | number;
  expectsName: boolean;
}

/** A double keeps all digits of a number with at most this many characters and no exponent. */
const KEPT_CHARS_MAX = 15;

/**
 * Finds what JSON.parse would change silently: a number that a double cannot represent, and the first of two members
 * with the same name. Also finds `__proto__`, which sets the prototype when code copies members by assignment.
 * @param text well-formed JSON of limited depth
 * @returns the first fault; undefined if there is none
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

/** Moves to the member with that name. */
function nameFault(level: Level, name: string): [tag: string, message: string] | undefined {
  const isRepeated = level.names!.has(name);
  level.names!.add(name);
  level.at = name;
  level.expectsName = false;
  if (name === '__proto__') return ['forbidden', 'Must not be named __proto__'];
  return isRepeated ? ['duplicate', 'Must not be repeated'] : undefined;
}

function nameIn(text: string, start: number, end: number): string {
  const raw = text.slice(start, end);
  return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}

/** @returns the index after the closing quotation mark, the first one with an even number of backslashes before it */
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

/** Whether parsing keeps the value: 1e2 is 100, and 1.0 is 1. */
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
