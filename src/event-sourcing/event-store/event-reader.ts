import type { Pool } from 'pg';

import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import { batched } from '../../platform/postgres/batched.js';
import { BinaryArray, int4, text, uuid } from '../../platform/postgres/binary-array.js';
import { reportingOutages } from '../../platform/postgres/outage.js';
import type { StreamRef, StreamType } from '../core/event.js';
import type { StoredEvent } from '../core/stored-event.js';

/** Events that a scan reads at a time: large enough that the round trip does not matter. */
const SCAN_EVENTS = 2_000;

/** Streams read in one statement: each may return as many events as were requested. */
const STREAMS_AT_A_TIME_MAX = 32;

/** A part of a stream. */
interface StreamPage {
  readonly stream: StreamRef;
  readonly afterVersion: number;
  readonly limit: number;
}

/** A row of {@link STORED_COLUMNS}, in `rowMode: 'array'`. */
export type StoredRow = [
  position: string,
  streamType: StreamType,
  streamId: string,
  version: number,
  eventId: string,
  type: string,
  schemaVersion: number,
  data: string,
  metadata: string,
  recordedAt: string,
];

/** With the number of its page, from 1. */
type RowOfMany = [...StoredRow, ordinal: number];
const ORDINAL = 10;

/** As text where the text of Postgres is enough: pg then parses nothing, and no precision is lost. */
export const STORED_COLUMNS = `
  position::text, stream_type, stream_id, version, event_id, type, schema_version, data::text, metadata::text,
  to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/*
 * Named: Postgres parses and plans them once per connection, which takes twice as long as reading a stream of ten
 * events. The plan uses the index from the first event on, because sessions for lookups are set so (PLANS_BY_INDEX).
 */
const READ_ALL = {
  name: 'read_all',
  // Qualified: a bare `position` would be the output column, which is text and sorts 100 before 99.
  text: `select ${STORED_COLUMNS} from es.events e where e.position > $1 order by e.position limit $2`,
};

const READ_STREAM = {
  name: 'read_stream',
  text: `select ${STORED_COLUMNS} from es.events where stream_id = $1 and stream_type = $2 and version > $3
         order by version limit $4`,
};

const READ_STREAMS = {
  name: 'read_streams',
  text: `select found.*, n::int from unnest($1::uuid[], $2::text[], $3::int[], $4::int[])
           with ordinality as wanted (id, type, after, most, n)
         cross join lateral (
           select ${STORED_COLUMNS} from es.events where stream_id = wanted.id and stream_type = wanted.type and version > after
           order by version limit most) as found`,
};

const HEAD = 'select position::text, epoch from es.head';

/** Reads the log as it is stored. Every method may throw Unavailable. */
export class EventReader {
  private readonly page = batched((pages: readonly StreamPage[]) => this.readPages(pages), STREAMS_AT_A_TIME_MAX);

  constructor(private readonly pool: Pool) {}

  /** Events after a position, in order, at most `limit`. */
  async readAllStored(afterPosition: bigint, limit: number): Promise<readonly StoredEvent[]> {
    const rows = await this.query<StoredRow>(READ_ALL, [afterPosition.toString(), limit]);
    return rows.map(storedEvent);
  }

  /** A stream's events after a version, in order, at most `limit`. */
  readStreamStored(stream: StreamRef, afterVersion: number, limit: number): Promise<readonly StoredEvent[]> {
    return this.page({ stream, afterVersion, limit });
  }

  /**
   * Everything after a position up to and including another, in order, in large batches. The next batch is fetched
   * while the last one is processed.
   */
  async *scan(afterPosition: bigint, untilPosition: bigint, batchEvents = SCAN_EVENTS): AsyncGenerator<StoredEvent[]> {
    const fetch = async (after: bigint): Promise<readonly StoredEvent[]> =>
      after < untilPosition ? await this.readAllStored(after, batchEvents) : [];
    let next = fetch(afterPosition);
    try {
      for (;;) {
        const batch = (await next).filter(({ position }) => position <= untilPosition);
        const last = batch.at(-1);
        if (!last) return;
        next = fetch(last.position);
        yield batch;
      }
    } finally {
      await ignoreErrors(next, 'the caller has this error already, or stopped before the batch that was fetched ahead');
    }
  }

  /** The newest position, 0n for an empty log, and the epoch, which a restore raises. */
  async head(): Promise<{ position: bigint; epoch: number }> {
    const { rows } = await reportingOutages(() => this.pool.query<{ position: string; epoch: number }>(HEAD));
    const head = rows[0];
    if (!head) throw new Error('es.head has no row');
    return { position: BigInt(head.position), epoch: head.epoch };
  }

  private async readPages(pages: readonly StreamPage[]): Promise<StoredEvent[][]> {
    const [first] = pages;
    if (first && pages.length === 1) {
      const { stream, afterVersion, limit } = first;
      return [
        (await this.query<StoredRow>(READ_STREAM, [stream.id, stream.type, afterVersion, limit])).map(storedEvent),
      ];
    }
    const rows = await this.query<RowOfMany>(READ_STREAMS, [
      BinaryArray.of(uuid, pages, ({ stream }) => stream.id),
      BinaryArray.of(text, pages, ({ stream }) => stream.type),
      BinaryArray.of(int4, pages, ({ afterVersion }) => afterVersion),
      BinaryArray.of(int4, pages, ({ limit }) => limit),
    ]);
    const found: StoredEvent[][] = pages.map(() => []);
    for (const row of rows) found[row[ORDINAL] - 1]!.push(storedEvent(row));
    return found.map((events) => events.sort((one, other) => one.version - other.version));
  }

  private async query<R extends unknown[]>(statement: { name: string; text: string }, values: unknown[]): Promise<R[]> {
    const { rows } = await reportingOutages(() => this.pool.query<R>({ ...statement, values, rowMode: 'array' }));
    return rows;
  }
}

export function storedEvent(row: StoredRow | RowOfMany): StoredEvent {
  const [position, streamType, streamId, version, eventId, type, schemaVersion, data, metadata, recordedAt] = row;
  return {
    position: BigInt(position),
    stream: { type: streamType, id: streamId },
    version,
    eventId,
    type,
    schemaVersion,
    data,
    metadata,
    recordedAt,
  };
}
