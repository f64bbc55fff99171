import type { FieldError } from '../problem.js';
import { fieldNameOf } from './field-errors.js';
import { JSON_DEPTH_MAX, TOO_DEEP } from './storable.js';

interface Level {
  readonly isObject: boolean;
  /** The member names of an object that were seen so far; null before the first one. */
  names: Set<string> | null;
  /** The current place: the name of a member, or an index. */
  at: string | number;
  expectsName: boolean;
}

/** A double keeps all digits of a number with at most this many characters and no large exponent. */
const KEPT_CHARS_MAX = 15;
/** Longer than any number that somebody writes; checking one takes time and stack in proportion. */
export const NUMBER_CHARS_MAX = 4_096;
/**
 * Texts, numbers, literals, objects and arrays, without names: as many as fit into a MiB of `0,`. Each takes up to a
 * hundred bytes of heap and is visited several times, so a large body may be large only by its texts.
 */
export const JSON_VALUES_MAX = 512 * 1024;
/** Of one object. Each takes microseconds to validate: a MiB of names took a second. */
export const JSON_NAMES_MAX = 4_096;

const [QUOTE, BACKSLASH, COMMA, COLON, MINUS, ZERO, NINE] = [...'"\\,:-09'].map((char) => char.charCodeAt(0));
const [OBJECT, OBJECT_END, LIST, LIST_END] = [...'{}[]'].map((char) => char.charCodeAt(0));
const BLANKS = new Set(Buffer.from(' \t\r\n'));
const IN_LITERAL = new Set(Buffer.from('abcdefghijklmnopqrstuvwxyz'));
const IN_NUMBER = new Set(Buffer.from('0123456789+-.eE'));

/**
 * Finds what JSON.parse would change silently: a number that a double cannot represent, and the first of two members
 * with the same name. Also finds `__proto__`, which sets the prototype when code copies members by assignment, and more
 * values, names or levels than the service takes. On bytes, because they can be freed before the text is parsed.
 * @param json UTF-8 without a byte order mark. If it is malformed, the scan may end early; JSON.parse refuses it, unless {@link isTooMuch} does
 * @returns the first fault; undefined if there is none
 */
export const jsonFaultOf = (json: Buffer): FieldError | undefined => new JsonScan(json).fault();

/** The text must not be parsed: it would take too much memory and time. */
export const isTooMuch = (fault: FieldError | undefined): fault is FieldError =>
  fault?.tag === 'max' || fault?.tag === TOO_DEEP.tag;

/** A walk over the tokens. Used once. */
class JsonScan {
  private readonly levels: Level[] = [];
  private values = 0;
  /** Whether a value or a name may begin here. To scan on where none may would be wasted: the text is malformed. */
  private mayBegin = true;
  /** The first fault: more values may follow, and they count. */
  private found: FieldError | undefined;

  constructor(private readonly json: Buffer) {}

  fault(): FieldError | undefined {
    const { json } = this;
    for (let index = 0; index < json.length;) {
      const byte = json[index]!;
      index = BLANKS.has(byte) ? index + 1 : this.token(byte, index);
    }
    return this.found;
  }

  /** @returns the index after it, or that of the end to end the scan */
  private token(byte: number, index: number): number {
    if (byte === COMMA || byte === COLON) return this.separator(byte, index);
    if (byte === OBJECT_END || byte === LIST_END) {
      this.levels.pop();
      this.mayBegin = false;
      return index + 1;
    }
    if (!this.mayBegin) return this.json.length;
    this.mayBegin = false;
    const level = this.levels.at(-1);
    if (byte === QUOTE && level?.expectsName) return this.name(level, index);
    this.values += 1;
    if (this.values > JSON_VALUES_MAX) return this.stop('max', `Must have at most ${JSON_VALUES_MAX} values`);
    if (byte === QUOTE) return endOfString(this.json, index);
    if (byte === MINUS || (byte >= ZERO! && byte <= NINE!)) return this.number(index);
    if (byte === OBJECT || byte === LIST) return this.open(byte === OBJECT, index);
    return endOf(IN_LITERAL, this.json, index);
  }

  private separator(byte: number, index: number): number {
    if (this.mayBegin) return this.json.length;
    this.mayBegin = true;
    const level = this.levels.at(-1);
    if (byte === COMMA && level?.isObject) level.expectsName = true;
    else if (byte === COMMA && level) level.at = Number(level.at) + 1;
    return index + 1;
  }

  private open(isObject: boolean, index: number): number {
    if (this.levels.length === JSON_DEPTH_MAX) return this.stop(TOO_DEEP.tag, TOO_DEEP.message);
    this.levels.push({ isObject, names: null, at: isObject ? '' : 0, expectsName: isObject });
    this.mayBegin = true;
    return index + 1;
  }

  private name(level: Level, start: number): number {
    const end = endOfString(this.json, start);
    const name = nameIn(this.json, start, end);
    const names = (level.names ??= new Set());
    const isRepeated = names.has(name);
    level.expectsName = false;
    if (names.add(name).size > JSON_NAMES_MAX) return this.stop('max', `Must have at most ${JSON_NAMES_MAX} members`);
    level.at = name;
    if (name === '__proto__') this.keep('forbidden', 'Must not be named __proto__');
    else if (isRepeated) this.keep('duplicate', 'Must not be repeated');
    return end;
  }

  private number(start: number): number {
    const { json } = this;
    const end = endOf(IN_NUMBER, json, start);
    if (end - start > NUMBER_CHARS_MAX) {
      this.keep('number', `A number has at most ${NUMBER_CHARS_MAX} characters. Send it as text`);
      return end;
    }
    const literal = json.toString('latin1', start, end);
    if (!survives(literal)) this.keep('number', lossMessage(literal));
    return end;
  }

  private keep(tag: string, message: string): void {
    this.found ??= this.faultHere(tag, message);
  }

  /** Ends the scan: this counts, whatever came first. */
  private stop(tag: string, message: string): number {
    this.found = this.faultHere(tag, message);
    return this.json.length;
  }

  private faultHere(tag: string, message: string): FieldError {
    return { field: fieldNameOf(this.levels.map(({ at }) => at)), value: '', tag, message };
  }
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

function endOf(bytes: ReadonlySet<number>, json: Buffer, start: number): number {
  let end = start + 1;
  while (end < json.length && bytes.has(json[end]!)) end += 1;
  return end;
}

/** Without an exponent, or with one that keeps a short number in the range of a double. */
const IS_IN_RANGE = /^[^e]+(e[+-]?(\d|\d\d|1\d\d))?$/i;

/** Whether parsing keeps the value: 1e2 is 100, and 1.0 is 1. */
function survives(literal: string): boolean {
  if (literal.length <= KEPT_CHARS_MAX && IS_IN_RANGE.test(literal)) return true;
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
