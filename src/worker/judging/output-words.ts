const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TAB = 0x09;
const SPACE = 0x20;

/** Space, tab, line feed, vertical tab, form feed, carriage return, as isspace(3) in the C locale. */
const isBlank = (byte: number): boolean => byte === SPACE || (byte >= TAB && byte <= CARRIAGE_RETURN);

/** One line of an output, without the line feed at its end. Parts of the output, not copies. */
export interface Line {
  /** From 1 on. */
  readonly number: number;
  readonly bytes: Buffer;
}

/** The lines of an output, without a copy. A last line feed begins no further line. */
export function* linesOf(output: Buffer): Generator<Line> {
  let number = 0;
  for (let at = 0; at < output.length;) {
    const found = output.indexOf(LINE_FEED, at);
    const end = found === -1 ? output.length : found;
    number += 1;
    yield { number, bytes: output.subarray(at, end) };
    at = end + 1;
  }
}

/** Without blanks at the end, so also without the carriage return of a Windows line end. */
export function trimmedEnd(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && isBlank(line[end - 1]!)) end -= 1;
  return line.subarray(0, end);
}

/** The lines without blanks at their ends, and without blank lines at the end of the output. */
export function* trimmedLinesOf(output: Buffer): Generator<Line> {
  for (const { number, bytes } of linesOf(trimmedEnd(output))) yield { number, bytes: trimmedEnd(bytes) };
}

/** What stands between blanks. */
export function* tokensOf(output: Buffer): Generator<Line> {
  let number = 1;
  for (let at = 0; at < output.length;) {
    while (at < output.length && isBlank(output[at]!)) {
      if (output[at] === LINE_FEED) number += 1;
      at += 1;
    }
    const begin = at;
    while (at < output.length && !isBlank(output[at]!)) at += 1;
    if (at > begin) yield { number, bytes: output.subarray(begin, at) };
  }
}
