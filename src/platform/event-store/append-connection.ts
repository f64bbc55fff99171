import type { Client, QueryConfig, QueryResult } from 'pg';

import { isAmbiguous } from '../postgres/outage.js';
import { createClient, type PostgresOptions } from '../postgres/pool.js';

/**
 * One connection, made when it is needed and made anew after it broke. Its queries are sent at once, one behind the other
 * (pipelined), and carried out in that order. A pool of one would do, but taking from it and giving back costs a tenth of
 * a short append.
 */
export class AppendConnection {
  private client: Promise<Client> | null = null;
  private closed = false;

  /** @param onLost called when a connection was given up, before the next one is made */
  constructor(
    private readonly options: PostgresOptions,
    private readonly onLost: () => void,
  ) {}

  /** Rejects as pg does. After an error that leaves the outcome open, the next query has a new connection. */
  async query<Row extends object>(statement: QueryConfig): Promise<QueryResult<Row>> {
    const connecting = (this.client ??= this.connect());
    try {
      return await (await connecting).query<Row>(statement);
    } catch (error) {
      if (isAmbiguous(error)) this.abandon(connecting);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    // One that cannot be made needs no end.
    await this.client?.then((client) => client.end()).catch(() => undefined);
  }

  private connect(): Promise<Client> {
    // What pg itself says of a client that was ended: an outage to whoever still appends.
    if (this.closed) return Promise.reject(new Error('Client was closed and is not queryable'));
    const client = createClient({ ...this.options, pipeline: true });
    const connecting = client.connect().then(() => client);
    const abandon = () => this.abandon(connecting);
    connecting.catch(abandon);
    client.on('error', abandon);
    client.on('end', abandon);
    return connecting;
  }

  /** Does not wait for the server: it may be the one that is silent. */
  private abandon(connecting: Promise<Client>): void {
    if (this.client === connecting) this.client = null;
    this.onLost();
    connecting.then((client) => client.end()).catch(() => undefined);
  }
}
