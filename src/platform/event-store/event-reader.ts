import type { Pool } from 'pg';

import type { StreamRef, StreamType } from '../../kernel/event.js';
import { reportingOutages } from '../postgres/outage.js';
import type { RawEvent } from './raw-event.js';

/** Events asked of Postgres at a time by a scan: large enough that the round trip does not count. */
const SCAN_EVENTS = 2_000;

type Row = [
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

/** As text where Postgres' own text will do: pg then parses nothing, and nothing is lost on the way. */
const COLUMNS = `
  position::text, stream_type, stream_id, version, event_id, type, schema_version, data::text, metadata::text,
  to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/*
 * None of these is a named statement: Postgres would keep a plan that it made while the table was small, and a fresh log
 * grows by orders of magnitude before it is analysed. Planning anew costs about 50 µs.
 */
// Qualified: a bare `position` would be the output column, which is text and sorts 100 before 99.
const READ_ALL = `select ${COLUMNS} from es.events e where e.position > $1 order by e.position limit $2`;

const READ_STREAM = `select ${COLUMNS} from es.events where stream_id = $1 and stream_type = $2 and version > $3
         order by version limit $4`;

const HEAD = 'select position::text, epoch from es.head';

/** Reads the log as it is stored. Every method may throw Unavailable. */
export class EventReader {
  constructor(private readonly pool: Pool) {}

  /** Events after a position, in order, at most `limit`. */
  readAllRaw(afterPosition: bigint, limit: number): Promise<readonly RawEvent[]> {
    return this.query(READ_ALL, [afterPosition.toString(), limit]);
  }

  /** A stream's events after a version, in order, at most `limit`. */
  readStreamRaw(stream: StreamRef, afterVersion: number, limit: number): Promise<readonly RawEvent[]> {
    return this.query(READ_STREAM, [stream.id, stream.type, afterVersion, limit]);
  }

  /**
   * Everything after a position up to and including another, in order, in large batches; the next batch is fetched
   * while the last one is worked on.
   */
  async *scan(afterPosition: bigint, untilPosition: bigint, batchEvents = SCAN_EVENTS): AsyncGenerator<RawEvent[]> {
    const fetch = async (after: bigint): Promise<readonly RawEvent[]> =>
      after < untilPosition ? await this.readAllRaw(after, batchEvents) : [];
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
      // Whoever stops early leaves a fetch behind, and nobody to hear of its failure.
      await next.catch(() => undefined);
    }
  }

  /** The newest position, 0n for an empty log, and the epoch, which a restore raises. */
  async head(): Promise<{ position: bigint; epoch: number }> {
    const { rows } = await reportingOutages(() => this.pool.query<{ position: string; epoch: number }>(HEAD));
    const head = rows[0];
    if (!head) throw new Error('es.log has lost its row');
    return { position: BigInt(head.position), epoch: head.epoch };
  }

  private async query(text: string, values: unknown[]): Promise<RawEvent[]> {
    const { rows } = await reportingOutages(() => this.pool.query<Row>({ text, values, rowMode: 'array' }));
    return rows.map(rawEvent);
  }
}

function rawEvent(row: Row): RawEvent {
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
