import type { Pool, PoolClient } from 'pg';

import { delay } from '../../platform/async/delay.js';
import { reportingOutages, sqlStateOf } from '../../platform/postgres/outage.js';
import type { StreamType } from '../core/event.js';
import type { ParkedStream } from './subscription-handler.js';

/** A parked stream as the leader sees it. */
export interface ParkedEntry extends ParkedStream {
  readonly streamType: StreamType;
  readonly reported: boolean;
  readonly redriveRequested: boolean;
}

const ERROR_CHARS_MAX = 2_000;
const LIST_MAX = 1_000;
const REDRIVE_POLL_MS = 100;

const COLUMNS = `subscription, stream_type as "streamType", stream_id as "streamId", from_position as "fromPosition",
  from_version as "fromVersion", error, parked_at as "parkedAt", reported_at is not null as "reported",
  redrive_requested_at is not null as "redriveRequested"`;

export function parkingError(error: unknown): string {
  const state = sqlStateOf(error);
  // Postgres quotes the invalid value.
  if (state !== '') return `the statement failed with SQLSTATE ${state}`;
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, ERROR_CHARS_MAX);
}

/** `read.parked`: streams that a subscription stopped applying. Every method may throw Unavailable. */
export class ParkedStreams {
  constructor(private readonly pool: Pool) {}

  /** Oldest first, at most 1,000. */
  async list(subscription?: string): Promise<readonly ParkedStream[]> {
    return await this.select(`where ($1::text is null or subscription = $1) order by parked_at, stream_id limit $2`, [
      subscription ?? null,
      LIST_MAX,
    ]);
  }

  /** All of one subscription, for its leader. */
  async entries(subscription: string): Promise<readonly ParkedEntry[]> {
    return await this.select('where subscription = $1 order by from_position', [subscription]);
  }

  async park(client: PoolClient, parked: Omit<ParkedStream, 'parkedAt'>): Promise<void> {
    await client.query(
      `insert into read.parked (subscription, stream_type, stream_id, from_position, from_version, error)
       values ($1, $2, $3, $4, $5, $6) on conflict (subscription, stream_id) do nothing`,
      [
        parked.subscription,
        parked.streamType,
        parked.streamId,
        parked.fromPosition,
        parked.fromVersion,
        parked.error.replaceAll('\0', ''),
      ],
    );
  }

  /** Sets the next event to fold to a later one; `error` if that event fails, which ends the redrive. */
  async advance(
    client: Pick<PoolClient, 'query'>,
    parked: ParkedStream,
    next: { position: bigint; version: number; error?: string },
  ): Promise<void> {
    await client.query(
      `update read.parked set from_position = $3, from_version = $4, error = coalesce($5, error),
         redrive_requested_at = case when $5::text is null then redrive_requested_at end
       where subscription = $1 and stream_id = $2`,
      [parked.subscription, parked.streamId, next.position, next.version, next.error?.replaceAll('\0', '') ?? null],
    );
  }

  async unpark(client: Pick<PoolClient, 'query'>, parked: ParkedStream): Promise<void> {
    await client.query('delete from read.parked where subscription = $1 and stream_id = $2', [
      parked.subscription,
      parked.streamId,
    ]);
  }

  async markReported(parked: ParkedStream): Promise<void> {
    await reportingOutages(() =>
      this.pool.query('update read.parked set reported_at = now() where subscription = $1 and stream_id = $2', [
        parked.subscription,
        parked.streamId,
      ]),
    );
  }

  /**
   * Asks the leader of the subscription to fold the stream from where it was parked. Only the leader may do so: then
   * nothing is applied between the fold and the unparking. @returns false if no such stream is parked
   */
  async requestRedrive(subscription: string, streamId: string): Promise<boolean> {
    const { rowCount } = await reportingOutages(() =>
      this.pool.query(
        'update read.parked set redrive_requested_at = now() where subscription = $1 and stream_id = $2',
        [subscription, streamId],
      ),
    );
    return rowCount === 1;
  }

  /** Requests a redrive and waits for its end. @returns `pending` if the leader has not finished it in time */
  async redrive(
    subscription: string,
    streamId: string,
    timeoutMs: number,
  ): Promise<'not_found' | 'unparked' | 'failed' | 'pending'> {
    if (!(await this.requestRedrive(subscription, streamId))) return 'not_found';
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const [entry] = await this.select<ParkedEntry>('where subscription = $1 and stream_id = $2', [
        subscription,
        streamId,
      ]);
      if (!entry) return 'unparked';
      if (!entry.redriveRequested) return 'failed';
      if (Date.now() >= deadline) return 'pending';
      await delay(REDRIVE_POLL_MS);
    }
  }

  private async select<Entry extends ParkedStream = ParkedEntry>(rest: string, values: unknown[]): Promise<Entry[]> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<Entry>(`select ${COLUMNS} from read.parked ${rest}`, values),
    );
    return rows;
  }
}
