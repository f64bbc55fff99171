import { createHash } from 'node:crypto';

import type { Pool } from 'pg';

import { APPEND_EVENTS_MAX } from '../../event-sourcing/core/event-store.js';
import { type CheckReport, Faults } from './finding.js';

/** An event whose hash covers itself and everything before it. */
export interface ChainHead {
  readonly position: bigint;
  /** Hexadecimal. */
  readonly hash: string;
}

export interface ChainReport {
  readonly report: CheckReport;
  /** The newest link; null if there is none, or if any link does not match. */
  readonly head: ChainHead | null;
}

/** A row of es.events, as the texts that are hashed. */
type Row = [
  position: string,
  streamId: string,
  version: string,
  eventId: string,
  schemaVersion: string,
  recordedMs: string,
  streamType: string,
  type: string,
  data: string,
  metadata: string,
  chain: string | null,
];

const BATCH_EVENTS = 2_000;
const NO_HASH = 'without a hash';

const ROWS = {
  name: 'chained_rows',
  text: `
    select position::text, stream_id::text, version::text, event_id::text, schema_version::text,
           (extract(epoch from recorded_at) * 1000)::bigint::text,
           stream_type, type, data::text, metadata::text, encode(chain, 'hex')
    from es.events where es.events.position > $1 and es.events.position <= $2
    order by es.events.position limit ${BATCH_EVENTS}`,
};

/**
 * Every append's hash matches its events and the hash before it. So no event, its metadata or its time was changed
 * after it was recorded, unless all later hashes were recomputed. A head that was kept elsewhere reveals that, and also
 * a log cut off at its end. Hashed here and not by the server, because its owner may change the server's functions.
 * @param expected the head from an earlier check
 */
export async function checkChain(pool: Pool, head: bigint, expected?: ChainHead): Promise<ChainReport> {
  const faults = new Faults('events fit their chain of hashes');
  let link = '';
  let newest: ChainHead | null = null;
  let isWhole = true;
  let expectedHash: string | undefined;
  let append = new AppendedRows();
  for await (const row of rowsUntil(pool, head)) {
    append.add(row);
    const chain = row.at(-1) ?? null;
    if (chain === null && append.isFull) {
      faults.add(`${append.range} ${NO_HASH}`);
      isWhole = false;
      append = new AppendedRows();
    }
    if (chain === null) continue;
    const position = BigInt(row[0]);
    if (append.hash(link) !== chain) {
      faults.add(`${append.range} ${append.isOne ? 'was' : 'were'} changed, or an earlier event is missing`);
      isWhole = false;
    }
    // Continues from the stored hash even if it does not match, so that one change is one fault.
    link = chain;
    newest = { position, hash: link };
    if (expected?.position === position) expectedHash = link;
    append = new AppendedRows();
  }
  if (!append.isEmpty) faults.add(`${append.range} ${NO_HASH}`);
  if (expected && expectedHash !== expected.hash) faults.add(unexpected(expected, head, expectedHash));
  return { report: faults.report(`${head} events`), head: isWhole && append.isEmpty ? newest : null };
}

function unexpected({ position }: ChainHead, head: bigint, found: string | undefined): string {
  if (position > head) return `the log ends at ${head}, before the expected head at position ${position}`;
  return found === undefined
    ? `position ${position}, the expected head, is not the end of an append`
    : `position ${position} or an earlier one does not match the expected head`;
}

async function* rowsUntil(pool: Pool, head: bigint): AsyncGenerator<Row> {
  let after = '0';
  for (;;) {
    const { rows } = await pool.query<Row>({ ...ROWS, values: [after, head.toString()], rowMode: 'array' });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < BATCH_EVENTS) return;
    after = last[0];
  }
}

/** One call of es.append as it is hashed: column by column. The migration that added the chain explains this format. */
class AppendedRows {
  private readonly rows: Row[] = [];

  /** As many as es.append records at most in one call: the hash is missing. */
  get isFull(): boolean {
    return this.rows.length >= APPEND_EVENTS_MAX;
  }

  get isEmpty(): boolean {
    return this.rows.length === 0;
  }

  get isOne(): boolean {
    return this.rows.length === 1;
  }

  /** In words. */
  get range(): string {
    const [first, last] = [this.rows[0]?.[0], this.rows.at(-1)?.[0]];
    return this.isOne ? `position ${first}` : `positions ${first} to ${last}, one append,`;
  }

  /** A type with a line break could be read as two types. No recorded type has one. */
  get isAmbiguous(): boolean {
    return this.rows.some(([, , , , , , streamType, type]) => `${streamType}${type}`.includes('\n'));
  }

  add(row: Row): void {
    this.rows.push(row);
  }

  /** @param before the hash of the previous append, in hexadecimal; '' for the first */
  hash(before: string): string {
    const [first] = this.rows;
    const column = (index: number, separator: string): string => this.rows.map((row) => row[index]).join(separator);
    const lines = [
      ...[before, first?.[0], first?.[5]],
      ...[1, 2, 3, 4].map((index) => column(index, ',')),
      ...[6, 7, 8, 9].map((index) => column(index, '\n')),
    ];
    // All events of an append have one time.
    const isOneTime = this.rows.every((row) => row[5] === first?.[5]);
    return isOneTime && !this.isAmbiguous ? createHash('sha256').update(lines.join('\n')).digest('hex') : '';
  }
}
