import type { Client, QueryConfig, QueryResult } from 'pg';

import { isAmbiguous } from '../postgres/outage.js';
import { createClient, type PostgresOptions } from '../postgres/pool.js';

/**
 * One connection that is used by one caller at a time, made when it is needed and made anew after it broke. A pool of
 * one would do, but taking from it and giving back costs a tenth of a short append.
 */
export class AppendConnection {
  private client: Client | null = null;
  private closed = false;

  /** @param onLost called when a connection was given up, before the next one is made */
  constructor(
    private readonly options: PostgresOptions,
    private readonly onLost: () => void,
  ) {}

  /** Rejects as pg does. After an error that leaves the outcome open, the next query has a new connection. */
  async query<Row extends object>(statement: QueryConfig): Promise<QueryResult<Row>> {
    const client = this.client ?? (await this.connect());
    try {
      return await client.query<Row>(statement);
    } catch (error) {
      if (isAmbiguous(error)) this.abandon(client);
      throw error;
    }
  }

  async close(): Promise<void> {
    this.closed = true;
    await this.client?.end();
  }

  private async connect(): Promise<Client> {
    // What pg itself says of a client that was ended: an outage to whoever still appends.
    if (this.closed) throw new Error('Client was closed and is not queryable');
    const client = createClient(this.options);
    client.on('error', () => this.abandon(client));
    client.on('end', () => this.abandon(client));
    await client.connect();
    this.client = client;
    return client;
  }

  /** Does not wait for the server: it may be the one that is silent. */
  private abandon(client: Client): void {
    if (this.client === client) this.client = null;
    this.onLost();
    client.end().catch(() => undefined);
  }
}
