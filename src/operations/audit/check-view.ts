import { isDeepStrictEqual } from 'node:util';

import type { Pool, PoolClient } from 'pg';

import type { EventCatalog } from '../../event-sourcing/core/event-catalog.js';
import { STORED_COLUMNS, storedEvent, type StoredRow } from '../../event-sourcing/event-store/event-reader.js';
import { ProjectionTable } from '../../event-sourcing/projection/projection-table.js';
import type { Projection } from '../../event-sourcing/projection/projection.js';
import { type CheckReport, Faults } from './finding.js';
import { readableEvent } from './readable-event.js';

/** Streams folded and compared at a time. */
const BATCH_STREAMS = 500;

type Row = Record<string, unknown>;

/**
 * Folds the log and compares the result with a view. Rows and checkpoint are read in one snapshot, so the view may
 * advance meanwhile. Works stream by stream, so memory does not grow with the log.
 */
export async function checkView(
  pool: Pool,
  catalog: EventCatalog,
  projection: Projection,
  subscription: string,
): Promise<CheckReport> {
  const faults = new Faults(`read.${projection.table} equals a fold of the log`);
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read read only');
    const checkpoint = await checkpointOf(client, subscription);
    let expected = 0;
    let afterStream: string | null = null;
    for (;;) {
      const ids = await nextStreams(client, checkpoint, afterStream);
      if (ids.length === 0) break;
      afterStream = ids.at(-1) ?? null;
      const rows = await foldStreams(client, catalog, projection, ids, checkpoint);
      expected += rows.size;
      await compareRows(client, projection, rows, faults);
    }
    const { rows } = await client.query<{ found: number }>(
      `select count(*)::int as found from read.${projection.table}`,
    );
    const found = rows[0]?.found ?? 0;
    if (found !== expected) faults.add(`${found} rows, but the log gives ${expected}`);
    return faults.report(`${expected} rows at position ${checkpoint}`);
  } finally {
    await client.query('rollback').finally(() => client.release());
  }
}

async function checkpointOf(client: PoolClient, subscription: string): Promise<bigint> {
  const { rows } = await client.query<{ position: bigint }>(
    'select position from read.checkpoints where subscription = $1',
    [subscription],
  );
  return rows[0]?.position ?? 0n;
}

async function nextStreams(client: PoolClient, checkpoint: bigint, after: string | null): Promise<string[]> {
  const { rows } = await client.query<{ stream_id: string }>(
    `select stream_id from es.events
     where version = 1 and position <= $1 and ($2::uuid is null or stream_id > $2)
     order by stream_id limit ${BATCH_STREAMS}`,
    [checkpoint, after],
  );
  return rows.map(({ stream_id }) => stream_id);
}

async function foldStreams(
  client: PoolClient,
  catalog: EventCatalog,
  projection: Projection,
  ids: readonly string[],
  checkpoint: bigint,
): Promise<Map<string, Row>> {
  const { rows } = await client.query<StoredRow>({
    text: `select ${STORED_COLUMNS} from es.events e
           where stream_id = any($1::uuid[]) and e.position <= $2 order by e.position`,
    values: [ids, checkpoint],
    rowMode: 'array',
  });
  const folded = new Map<string, Row | null>();
  for (const row of rows) {
    const event = readableEvent(catalog, storedEvent(row));
    const key = event && projection.keyOf(event);
    if (key) folded.set(key, projection.project(folded.get(key) ?? null, event) as Row | null);
  }
  return new Map([...folded].filter((entry): entry is [string, Row] => entry[1] !== null));
}

async function compareRows(
  client: PoolClient,
  projection: Projection,
  expected: ReadonlyMap<string, Row>,
  faults: Faults,
): Promise<void> {
  const found = await new ProjectionTable(projection).load(client, [...expected.keys()]);
  for (const [key, row] of expected) {
    const actual = found.get(key);
    if (!actual) faults.add(`${key} is missing`);
    else for (const column of differing(projection, row, actual)) faults.add(`${key}: ${column} differs`);
  }
}

const differing = (projection: Projection, expected: Row, actual: Row): string[] =>
  Object.entries(projection.columns)
    .filter(([name, type]) => !isDeepStrictEqual(comparable(expected[name], type), comparable(actual[name], type)))
    .map(([name]) => name);

/** Times as numbers; JSON serialized and parsed, so that an absent member equals an undefined one. */
function comparable(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null;
  if (type === 'timestamptz') return new Date(value as string | Date).getTime();
  return type === 'jsonb' ? (JSON.parse(JSON.stringify(value)) as unknown) : value;
}
