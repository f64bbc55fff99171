/**
 * A generated request is text with placeholders, «like this». They are filled in when the request is sent: with values
 * that only the service knows (the id of a task, a token), and with values too long for a test's report (a megabyte of
 * x).
 */
export const blank = (what: string): string => `«${what}»`;

/** A longer report is unreadable. */
const PLAIN_CHARS_MAX = 300;

/** That many characters. */
export const textOf = (chars: number): string => (chars > PLAIN_CHARS_MAX ? blank(`x ${chars}`) : 'x'.repeat(chars));

/** In JSON, in place of a string: raw text, for which there is no value. */
export const raw = (json: string): string => blank(`raw ${json}`);

/** In JSON, in place of a string: nested arrays. */
export const deep = (levels: number): string => blank(`deep ${levels}`);

const PLAIN: readonly [RegExp, (argument: string) => string][] = [
  [/"«raw ([^»]*)»"/g, (json) => json],
  [/"«deep (\d+)»"/g, (levels) => '['.repeat(Number(levels)) + ']'.repeat(Number(levels))],
  [/«x (\d+)»/g, (chars) => 'x'.repeat(Number(chars))],
];

/** @param lookUp returns a placeholder's value; undefined leaves it unchanged */
export async function filled(text: string, lookUp: (what: string) => Promise<string> | undefined): Promise<string> {
  let result = text;
  for (const [pattern, make] of PLAIN) result = result.replaceAll(pattern, (_, argument: string) => make(argument));
  for (const what of new Set([...result.matchAll(/«([^»]+)»/g)].map((match) => match[1]!))) {
    const value = await lookUp(what);
    if (value !== undefined) result = result.replaceAll(blank(what), value);
  }
  return result;
}
