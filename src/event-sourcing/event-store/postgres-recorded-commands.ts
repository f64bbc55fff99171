import type { Pool } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import type { StreamType } from '../core/event.js';
import { type RecordedCommand, RecordedCommands } from '../core/recorded-commands.js';

const FIND = `
  select event_id, metadata ->> 'command_digest' as digest, metadata ->> 'request_id' as request_id,
         stream_type, stream_id, version, position, recorded_at
  from es.events where event_id = any($1::uuid[])`;

interface Row {
  readonly event_id: string;
  readonly digest: string | null;
  readonly request_id: string | null;
  readonly stream_type: StreamType;
  readonly stream_id: string;
  readonly version: number;
  readonly position: bigint;
  readonly recorded_at: Date;
}

export class PostgresRecordedCommands extends RecordedCommands {
  constructor(private readonly pool: Pool) {
    super();
  }

  override async find(commandIds: readonly string[]): Promise<readonly RecordedCommand[]> {
    const { rows } = await reportingOutages(() => this.pool.query<Row>(FIND, [commandIds]));
    return rows.map((row) => ({
      commandId: row.event_id,
      digest: row.digest,
      requestId: row.request_id,
      stream: { type: row.stream_type, id: row.stream_id },
      version: row.version,
      position: row.position,
      recordedAt: row.recorded_at,
    }));
  }
}
