/** Judge0 removes them before its shell reads the arguments. */
const REMOVED = /[$&;<>|`]/g;

/**
 * The words of a command line, as a POSIX shell splits it: blanks separate, quotation marks and backslashes protect.
 * There are no expansions.
 */
export function wordsOf(line: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  const characters = line.replaceAll(REMOVED, '').trim();
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at]!;
    const next = characters[at + 1];
    if (quote === null && /\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (character === quote) {
      quote = null;
    } else if (quote === null && (character === '"' || character === "'")) {
      quote = character;
      word ??= '';
    } else if (character === '\\' && next !== undefined && (quote === null || (quote === '"' && /["\\]/.test(next)))) {
      word = (word ?? '') + next;
      at += 1;
    } else {
      word = (word ?? '') + character;
    }
  }
  return word === null ? words : [...words, word];
}

const PLAIN = /^[\w@%+=:,./-]+$/;

/** A command line with these words. Null if there are none. */
export const lineOf = (words: readonly string[]): string | null =>
  words.length === 0
    ? null
    : words.map((word) => (PLAIN.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)).join(' ');
