import type { Client, QueryConfig, QueryResult } from 'pg';

import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import { isAmbiguous } from '../../platform/postgres/outage.js';
import { createClient, type PostgresOptions, responseTimeoutMsOf } from '../../platform/postgres/pool.js';
import {
  callPrepared,
  type CallValue,
  type PreparedStatement,
  type TextRow,
} from '../../platform/postgres/prepared-call.js';
import { ResponseWatchdog } from '../../platform/postgres/response-watchdog.js';

const NOTHING_TO_CLOSE = 'a connection that failed to open or to close is closed';

interface Connected {
  readonly client: Client;
  readonly watch: ResponseWatchdog;
}

/**
 * One connection, opened when it is first needed and reopened after it breaks. Queries are sent at once, one behind
 * the other (pipelined), and executed in that order. A pool of one would do, but checking a client out and in costs a
 * tenth of a short append.
 */
export class AppendConnection {
  private connected: Promise<Connected> | null = null;
  private closed = false;

  /** @param onLost called when a connection is abandoned, before the next one is opened */
  constructor(
    private readonly options: PostgresOptions,
    private readonly onLost: () => void,
  ) {}

  /** A faster path for frequent statements. Otherwise like {@link query}. */
  call(statement: PreparedStatement, values: readonly CallValue[]): Promise<TextRow> {
    return this.run((client) => callPrepared(client, statement, values));
  }

  /** Rejects as pg does. After an error that leaves the outcome unknown, the next query uses a new connection. */
  query<Row extends object>(statement: QueryConfig): Promise<QueryResult<Row>> {
    return this.run((client) => client.query<Row>(statement));
  }

  async close(): Promise<void> {
    this.closed = true;
    if (this.connected) await ignoreErrors(this.connected.then(end), NOTHING_TO_CLOSE);
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
    // pg's own message for a closed client: later appends see it as an outage.
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

  /** Does not wait for the server, which may not respond. */
  private abandon(connecting: Promise<Connected>): void {
    if (this.connected === connecting) this.connected = null;
    this.onLost();
    void ignoreErrors(connecting.then(end), NOTHING_TO_CLOSE);
  }
}

/** Outstanding responses are waited for, so the watchdog runs until the end. */
function end({ client, watch }: Connected): Promise<void> {
  return client.end().finally(() => watch.stop());
}

/** Pending queries fail with the message of pg's own timeout. */
function cut(client: Client): void {
  client.connection.stream.destroy(new Error('Query read timeout'));
}
