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
/** Longer than any number that somebody writes; checking one takes time and stack in proportion. */
const NUMBER_CHARS_MAX = 4_096;
/**
 * Commas and containers: as many as fit into a MiB of `0,`. Each value takes up to a hundred bytes of heap and is
 * visited several times, so a large body may be large only by its texts.
 */
export const JSON_VALUES_MAX = 512 * 1024;
const TOO_MANY = 'max';

const [QUOTE, BACKSLASH, COMMA, MINUS, ZERO, NINE] = [...'"\\,-09'].map((char) => char.charCodeAt(0));
const [OBJECT, OBJECT_END, LIST, LIST_END] = [...'{}[]'].map((char) => char.charCodeAt(0));
const IN_NUMBER = new Set(Buffer.from('0123456789+-.eE'));

/**
 * Finds what JSON.parse would change silently: a number that a double cannot represent, and the first of two members
 * with the same name. Also finds `__proto__`, which sets the prototype when code copies members by assignment, and too
 * many values. On bytes, because they can be freed before the text is parsed.
 * @param json UTF-8. If it is malformed, the result has no meaning, except for {@link isTooMuch}
 * @returns the first fault; undefined if there is none
 */
export const jsonFaultOf = (json: Buffer): FieldError | undefined => new JsonScan(json).fault();

/** The text must not be parsed: it would take too much memory and time. */
export const isTooMuch = (fault: FieldError | undefined): fault is FieldError => fault?.tag === TOO_MANY;

/** A walk over the tokens. Used once. */
class JsonScan {
  private readonly levels: Level[] = [];
  private values = 0;
  /** The first fault: more values may follow, and they count. */
  private found: FieldError | undefined;

  constructor(private readonly json: Buffer) {}

  fault(): FieldError | undefined {
    const { json } = this;
    for (let index = 0; index < json.length;) {
      const byte = json[index]!;
      if (byte === QUOTE) index = this.string(index);
      else if (byte === MINUS || (byte >= ZERO! && byte <= NINE!)) index = this.number(index);
      else {
        this.structure(byte);
        if (this.values > JSON_VALUES_MAX) return tooMany();
        index += 1;
      }
    }
    return this.found;
  }

  private string(start: number): number {
    const { json } = this;
    const end = endOfString(json, start);
    const level = this.levels.at(-1);
    if (!level?.expectsName) return end;
    const name = nameIn(json, start, end);
    const isRepeated = level.names!.has(name);
    level.names!.add(name);
    level.at = name;
    level.expectsName = false;
    if (name === '__proto__') this.keep('forbidden', 'Must not be named __proto__');
    else if (isRepeated) this.keep('duplicate', 'Must not be repeated');
    return end;
  }

  private number(start: number): number {
    const { json } = this;
    const end = endOfNumber(json, start);
    if (end - start > NUMBER_CHARS_MAX) {
      this.keep('number', `A number has at most ${NUMBER_CHARS_MAX} characters. Send it as text`);
      return end;
    }
    const literal = json.toString('latin1', start, end);
    if (!survives(literal)) this.keep('number', lossMessage(literal));
    return end;
  }

  private structure(byte: number): void {
    const { levels } = this;
    if (byte === OBJECT) levels.push({ names: new Set(), at: '', expectsName: true });
    else if (byte === LIST) levels.push({ names: null, at: 0, expectsName: false });
    else if (byte === OBJECT_END || byte === LIST_END) levels.pop();
    else if (byte === COMMA) next(levels.at(-1));
    if (byte === COMMA || byte === OBJECT || byte === LIST) this.values += 1;
  }

  private keep(tag: string, message: string): void {
    this.found ??= { field: fieldNameOf(this.levels.map(({ at }) => at)), value: '', tag, message };
  }
}

const tooMany = (): FieldError => ({
  field: '',
  value: '',
  tag: TOO_MANY,
  message: `Must have at most ${JSON_VALUES_MAX} values`,
});

function next(level: Level | undefined): void {
  if (!level) return;
  if (level.names) level.expectsName = true;
  else level.at = Number(level.at) + 1;
}

function nameIn(json: Buffer, start: number, end: number): string {
  const raw = json.toString('utf8', start, end);
  if (!raw.includes('\\')) return raw.slice(1, -1);
  try {
    return JSON.parse(raw) as string;
  } catch {
    return '';
  }
}

/** @returns the index after the closing quotation mark, or the end */
function endOfString(json: Buffer, start: number): number {
  const end = json.indexOf(QUOTE!, start + 1);
  if (end === -1) return json.length;
  if (json[end - 1] !== BACKSLASH) return end + 1;
  // From here on byte by byte: a text may consist of escaped quotation marks, and each search has its price.
  for (let index = afterBackslashes(json, start, end); index < json.length; index += 1) {
    if (json[index] === BACKSLASH) index += 1;
    else if (json[index] === QUOTE) return index + 1;
  }
  return json.length;
}

/** @returns the quotation mark, or the byte after it if it is escaped */
function afterBackslashes(json: Buffer, start: number, quote: number): number {
  let first = quote;
  while (first > start + 1 && json[first - 1] === BACKSLASH) first -= 1;
  return quote + ((quote - first) % 2);
}

function endOfNumber(json: Buffer, start: number): number {
  let end = start + 1;
  while (end < json.length && IN_NUMBER.has(json[end]!)) end += 1;
  return end;
}

const HAS_EXPONENT = /e/i;

/** Whether parsing keeps the value: 1e2 is 100, and 1.0 is 1. */
function survives(literal: string): boolean {
  if (literal.length <= KEPT_CHARS_MAX && !HAS_EXPONENT.test(literal)) return true;
  // JSON.parse refuses it.
  if (!NUMBER.test(literal)) return true;
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
