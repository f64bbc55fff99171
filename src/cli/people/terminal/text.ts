/** Control characters, which could move the cursor or rewrite a line, and those that reverse the direction of text. */
// oxlint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of others on one line, without effects on the terminal. */
export const printable = (text: string): string =>
  text.replaceAll(UNPRINTABLE, (char) =>
    /\s/.test(char) ? ' ' : `\\x${char.codePointAt(0)!.toString(16).padStart(2, '0')}`,
  );
