/**
 * The tokens of the lexical structure of PostgreSQL (manual, 4.1) that matter here. Quoted names and parameters stay;
 * strings in any notation, numbers and comments are removed. The order matters: the prefix of a string is not a name.
 */
const TOKEN = new RegExp(
  [
    String.raw`(?<name>"(?:[^"]|"")*")`,
    String.raw`(?<parameter>\$\d+)`,
    // E'…' has backslash escapes; the others do not (standard_conforming_strings).
    String.raw`(?<![\w$])[eE]'(?:[^'\\]|''|\\[^])*'`,
    String.raw`(?:(?<![\w$])(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*'`,
    String.raw`(?<![\w$])\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?\$\k<tag>\$`,
    String.raw`(?<comment>--[^\n]*|/\*[^]*?\*/)`,
    String.raw`(?<![\w$.])(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`,
    // The rest of an unterminated string, name or comment.
    String.raw`(?<open>['"]|(?<![\w$])\$[A-Za-z_]*\$|/\*)[^]*`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
  ].join('|'),
  'g',
);

/** Longer statements are cut to keep spans small. */
export const STATEMENT_CHARS_MAX = 2_000;

/**
 * Replaces each literal of a statement with `?`, as the conventions of OpenTelemetry require (db.query.text). What
 * cannot be parsed (an unterminated string) is replaced as a whole: it is better to show too little than too much.
 */
export function withoutLiterals(sql: string): string {
  const text = sql.replaceAll(TOKEN, (token: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    if (groups['name'] !== undefined || groups['parameter'] !== undefined || groups['word'] !== undefined) return token;
    return groups['comment'] === undefined ? '?' : ' ';
  });
  return text.length > STATEMENT_CHARS_MAX ? `${text.slice(0, STATEMENT_CHARS_MAX)}…` : text;
}
