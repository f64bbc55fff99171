/**
 * The tokens of PostgreSQL's lexical structure (manual, 4.1) that matter here: names in quotes and parameters stay;
 * strings in any notation, numbers and comments go. In this order: a string's prefix is not a name.
 */
const TOKEN = new RegExp(
  [
    String.raw`(?<name>"(?:[^"]|"")*")`,
    String.raw`(?<parameter>\$\d+)`,
    // E'…' has backslashes that escape; the others do not (standard_conforming_strings).
    String.raw`(?<![\w$])[eE]'(?:[^'\\]|''|\\[^])*'`,
    String.raw`(?:(?<![\w$])(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*'`,
    String.raw`(?<![\w$])\$(?<tag>(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?)\$[^]*?\$\k<tag>\$`,
    String.raw`(?<comment>--[^\n]*|/\*[^]*?\*/)`,
    String.raw`(?<![\w$.])(?:0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)`,
    // What is left of a string, a name or a comment that does not end.
    String.raw`(?<open>['"]|(?<![\w$])\$[A-Za-z_]*\$|/\*)[^]*`,
    String.raw`(?<word>[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*)`,
  ].join('|'),
  'g',
);

/** Longer statements are cut: a span is no place for them. */
export const STATEMENT_CHARS_MAX = 2_000;

/**
 * A statement with a `?` for each literal, as OpenTelemetry's conventions ask for (db.query.text). What cannot be read
 * (a string without an end) goes as a whole: too little is shown rather than too much.
 */
export function withoutLiterals(sql: string): string {
  const text = sql.replaceAll(TOKEN, (token: string, ...rest: unknown[]) => {
    const groups = rest.at(-1) as Record<string, string | undefined>;
    if (groups['name'] !== undefined || groups['parameter'] !== undefined || groups['word'] !== undefined) return token;
    return groups['comment'] === undefined ? '?' : ' ';
  });
  return text.length > STATEMENT_CHARS_MAX ? `${text.slice(0, STATEMENT_CHARS_MAX)}…` : text;
}
