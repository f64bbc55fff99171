import type { Client, Connection, QueryConfig, QueryResult } from 'pg';

import type { CallValue } from '../../platform/postgres/call-message.js';
import { isAmbiguous } from '../../platform/postgres/outage.js';
import { createClient, type PostgresOptions, responseTimeoutMsOf } from '../../platform/postgres/pool.js';
import { callPrepared, type PreparedStatement, type TextRow } from '../../platform/postgres/prepared-call.js';
import { ResponseWatchdog } from '../../platform/postgres/response-watchdog.js';

interface Connected {
  readonly client: Client;
  readonly watch: ResponseWatchdog;
}

/**
 * One connection, made when it is needed and made anew after it broke. Its queries are sent at once, one behind the other
 * (pipelined), and carried out in that order. A pool of one would do, but taking from it and giving back costs a tenth of
 * a short append.
 */
export class AppendConnection {
  private connected: Promise<Connected> | null = null;
  private closed = false;

  /** @param onLost called when a connection was given up, before the next one is made */
  constructor(
    private readonly options: PostgresOptions,
    private readonly onLost: () => void,
  ) {}

  /** The quick way, for what is asked all the time. Otherwise as {@link query}. */
  call(statement: PreparedStatement, values: readonly CallValue[]): Promise<TextRow> {
    return this.run((client) => callPrepared(client, statement, values));
  }

  /** Rejects as pg does. After an error that leaves the outcome open, the next query has a new connection. */
  query<Row extends object>(statement: QueryConfig): Promise<QueryResult<Row>> {
    return this.run((client) => client.query<Row>(statement));
  }

  async close(): Promise<void> {
    this.closed = true;
    // One that cannot be made needs no end.
    await this.connected?.then(end).catch(() => undefined);
  }

  private async run<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    const connecting = (this.connected ??= this.connect());
    let watch: ResponseWatchdog | null = null;
    try {
      const connected = await connecting;
      watch = connected.watch;
      watch.requestSent();
      return await work(connected.client);
    } catch (error) {
      if (isAmbiguous(error)) this.abandon(connecting);
      throw error;
    } finally {
      watch?.responseReceived();
    }
  }

  private connect(): Promise<Connected> {
    // What pg itself says of a client that was ended: an outage to whoever still appends.
    if (this.closed) return Promise.reject(new Error('Client was closed and is not queryable'));
    const client = createClient({ ...this.options, responseTimeoutMs: 0, pipeline: true });
    const watch = new ResponseWatchdog(responseTimeoutMsOf(this.options), () => cut(client));
    const connecting = client.connect().then(() => ({ client, watch }));
    const abandon = () => this.abandon(connecting);
    connecting.catch(abandon);
    client.on('error', abandon);
    client.on('end', abandon);
    return connecting;
  }

  /** Does not wait for the server: it may be the one that is silent. */
  private abandon(connecting: Promise<Connected>): void {
    if (this.connected === connecting) this.connected = null;
    this.onLost();
    connecting.then(end).catch(() => undefined);
  }
}

/** Watches to the end: what is still unanswered is waited for. */
function end({ client, watch }: Connected): Promise<void> {
  return client.end().finally(() => watch.stop());
}

/** What waits for an answer is told what pg says after a timeout of its own. */
function cut(client: Client): void {
  const { stream } = (client as unknown as { connection: Connection }).connection;
  stream.destroy(new Error('Query read timeout'));
}
