/**
 * A generated request is text with blanks, «so», which are filled in when it is sent: with what only the service can
 * tell (the id of a task, a token), and with what nobody wants to read in a failed test's report (a megabyte of x).
 */
export const blank = (what: string): string => `«${what}»`;

/** Beyond it a report is not to be read any more. */
const PLAIN_CHARS_MAX = 300;

/** So many characters. */
export const textOf = (chars: number): string => (chars > PLAIN_CHARS_MAX ? blank(`x ${chars}`) : 'x'.repeat(chars));

/** In JSON, in the place of a string: as it stands, where no value becomes such a text. */
export const raw = (json: string): string => blank(`raw ${json}`);

/** In JSON, in the place of a string: arrays in arrays. */
export const deep = (levels: number): string => blank(`deep ${levels}`);

const PLAIN: readonly [RegExp, (argument: string) => string][] = [
  [/"«raw ([^»]*)»"/g, (json) => json],
  [/"«deep (\d+)»"/g, (levels) => '['.repeat(Number(levels)) + ']'.repeat(Number(levels))],
  [/«x (\d+)»/g, (chars) => 'x'.repeat(Number(chars))],
];

/** @param lookUp what stands in a blank; undefined leaves it as it is */
export async function filled(text: string, lookUp: (what: string) => Promise<string> | undefined): Promise<string> {
  let result = text;
  for (const [pattern, make] of PLAIN) result = result.replaceAll(pattern, (_, argument: string) => make(argument));
  for (const what of new Set([...result.matchAll(/«([^»]+)»/g)].map((match) => match[1]!))) {
    const value = await lookUp(what);
    if (value !== undefined) result = result.replaceAll(blank(what), value);
  }
  return result;
}
