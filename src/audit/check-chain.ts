import { createHash } from 'node:crypto';

import type { Pool } from 'pg';

import { type CheckReport, Faults } from './finding.js';

/** An event whose hash covers itself and everything before it. */
export interface ChainHead {
  readonly position: bigint;
  /** Hexadecimal. */
  readonly hash: string;
}

export interface ChainReport {
  readonly report: CheckReport;
  /** The newest link that fits; null where there is none, or where one does not fit. */
  readonly head: ChainHead | null;
}

/** A row of es.events as it is hashed: as text, in the order in which it is written. */
type Row = [
  position: string,
  streamId: string,
  version: string,
  eventId: string,
  schemaVersion: string,
  recordedMs: string,
  streamTypeChars: string,
  typeChars: string,
  streamType: string,
  type: string,
  data: string,
  metadata: string,
  chain: string | null,
];

const BATCH_EVENTS = 2_000;

const ROWS = {
  name: 'chained_rows',
  text: `
    select position::text, stream_id::text, version::text, event_id::text, schema_version::text,
           (extract(epoch from recorded_at) * 1000)::bigint::text, length(stream_type)::text, length(type)::text,
           stream_type, type, data::text, metadata::text, encode(chain, 'hex')
    from es.events where es.events.position > $1 and es.events.position <= $2
    order by es.events.position limit ${BATCH_EVENTS}`,
};

/**
 * Every append's hash is what its events and the hash before it give: no event, its metadata and its time included, was
 * changed after it was recorded, unless all later hashes were computed anew. That, and a log that was cut off at its end,
 * is found by a head that was kept elsewhere. Hashed here and not by the server, whose functions its owner may change.
 * @param expected what an earlier examination said
 */
export async function checkChain(pool: Pool, head: bigint, expected?: ChainHead): Promise<ChainReport> {
  const faults = new Faults('events fit their chain of hashes');
  let link = '';
  let newest: ChainHead | null = null;
  let isWhole = true;
  let expectedHash: string | undefined;
  let append = new AppendHash(link);
  for await (const row of rowsUntil(pool, head)) {
    append.add(row);
    const chain = row.at(-1) ?? null;
    if (chain === null) continue;
    link = append.digest();
    const position = BigInt(row[0]);
    if (link !== chain) {
      faults.add(`${append.range} ${append.isOne ? 'was' : 'were'} changed, or something before was left out`);
      isWhole = false;
      // Goes on from the hash that is stored, so that one change is one fault.
      link = chain;
    }
    newest = { position, hash: link };
    if (expected?.position === position) expectedHash = link;
    append = new AppendHash(link);
  }
  if (!append.isEmpty) faults.add(`${append.range} ${append.isOne ? 'has' : 'have'} no hash`);
  if (expected && expectedHash !== expected.hash) faults.add(unexpected(expected, head, expectedHash));
  return { report: faults.report(`${head} events`), head: isWhole && append.isEmpty ? newest : null };
}

function unexpected({ position }: ChainHead, head: bigint, found: string | undefined): string {
  if (position > head) return `the log ends at ${head}, before the expected head at position ${position}`;
  return found === undefined
    ? `position ${position}, the expected head, ends no append`
    : `position ${position} or one before it is not what the expected head vouches for`;
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

/** Of one append: what its hash is made of. The migration that added the chain says why it is written so. */
class AppendHash {
  private readonly hash = createHash('sha256');
  private first: string | null = null;
  private last = '';

  /** @param before the hash of the append before, in hexadecimal; '' for the first */
  constructor(before: string) {
    this.hash.update(`${before}\n`);
  }

  get isEmpty(): boolean {
    return this.first === null;
  }

  get isOne(): boolean {
    return this.first === this.last;
  }

  /** In words. */
  get range(): string {
    return this.isOne ? `position ${this.last}` : `positions ${this.first} to ${this.last}, one append,`;
  }

  add(row: Row): void {
    this.first ??= row[0];
    this.last = row[0];
    this.hash.update(`${row.slice(0, -1).join('\n')}\n`);
  }

  digest(): string {
    return this.hash.digest('hex');
  }
}
