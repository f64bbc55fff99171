import type { Command } from 'commander';

import { print } from '../../output.js';
import { wholeNumberBetween } from '../../whole-number.js';
import { type Column, printTable } from './table.js';

export interface ListArguments {
  readonly limit: number;
  readonly all?: boolean;
  readonly json?: boolean;
}

const LIMIT_DEFAULT = 20;
const LIMIT_MAX = 1_000_000;
const PAGE_MAX = 100;
/** A table is printed when its rows are known: more of them are for --json, which prints them as they come. */
const TABLE_ROWS_MAX = 10_000;

export const withListOptions = (command: Command): Command =>
  command
    .option('--limit <number>', 'at most this many', wholeNumberBetween(1, LIMIT_MAX), LIMIT_DEFAULT)
    .option('--all', `all of them; a table has at most ${TABLE_ROWS_MAX} rows`)
    .option('--json', 'one JSON object per line');

/** The items of a request. */
export const pageSize = ({ limit, all }: ListArguments): number => (all ? PAGE_MAX : Math.min(PAGE_MAX, limit));

/** A table, or with --json a line each as they come. Requests no more pages than it prints. */
export async function printList<Row>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  options: Partial<ListArguments>,
  columns: readonly Column<Row>[],
): Promise<void> {
  const most = options.all || options.limit === undefined ? Number.POSITIVE_INFINITY : options.limit;
  const max = options.json ? most : Math.min(most, TABLE_ROWS_MAX);
  const kept: Row[] = [];
  let count = 0;
  for await (const row of rows) {
    count += 1;
    if (options.json) print(JSON.stringify(row));
    else kept.push(row);
    if (count >= max) break;
  }
  if (!options.json) printTable(columns, kept);
}
