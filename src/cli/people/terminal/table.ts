import stringWidth from 'string-width';

import { print } from '../../output.js';
import { style } from './style.js';
import { printable } from './text.js';

export interface Column<Row> {
  readonly title: string;
  readonly value: (row: Row) => string;
  readonly paint?: (row: Row) => (text: string) => string;
  /** Numbers stand at the right. */
  readonly right?: boolean;
  /** Cut if the line would be wider than the terminal. */
  readonly flexible?: boolean;
}

const GAP = 2;
const FLEXIBLE_WIDTH_MIN = 8;

/** Aligned columns. On a terminal, flexible columns are cut so that a row is one line; in a pipe nothing is cut. */
export function printTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): void {
  const cells = rows.map((row) => columns.map(({ value }) => printable(value(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(stringWidth(title), ...cells.map((row) => stringWidth(row[index]!))),
  );
  shrink(
    widths,
    columns.map(({ flexible = false }) => flexible),
    process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY,
  );
  const line = (texts: readonly string[], paint: (index: number) => (text: string) => string) =>
    texts
      .map((text, index) => {
        const fitting = cut(text, widths[index]!);
        const space = ' '.repeat(widths[index]! - stringWidth(fitting));
        const painted = paint(index)(fitting);
        return columns[index]!.right ? space + painted : painted + space;
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  print(
    line(
      columns.map(({ title }) => title),
      () => style.bold,
    ),
  );
  for (const [at, row] of rows.entries()) {
    print(line(cells[at]!, (index) => columns[index]!.paint?.(row) ?? ((text) => text)));
  }
}

/** Takes what is too much from the widest flexible column, one by one. */
function shrink(widths: number[], flexible: readonly boolean[], max: number): void {
  let excess = widths.reduce((sum, width) => sum + width + GAP, -GAP) - max;
  while (excess > 0) {
    const widest = widths.reduce(
      (best, width, index) => (flexible[index] && (best === -1 || width > widths[best]!) ? index : best),
      -1,
    );
    if (widest === -1 || widths[widest]! <= FLEXIBLE_WIDTH_MIN) return;
    widths[widest]! -= 1;
    excess -= 1;
  }
}

/** At most this wide, with an ellipsis for what is missing. Characters that belong together stay together. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let [kept, used] = ['', 0];
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    used += stringWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Names and values, one a line. */
export function printFields(fields: readonly (readonly [name: string, value: string | null])[]): void {
  const shown = fields.filter(([, value]) => value !== null && value !== '');
  const width = Math.max(...shown.map(([name]) => name.length));
  for (const [name, value] of shown) print(`${style.bold(name.padEnd(width))}${' '.repeat(GAP)}${printable(value!)}`);
}
