import type { Pool, PoolClient } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import { type Checkpoint, moveStatement, type Write } from './move-statement.js';

/** Another leader or a rebuild has moved the checkpoint. The write in progress is stale. */
export class CheckpointMoved extends Error {
  constructor(subscription: string) {
    super(`the checkpoint of ${subscription} was moved by another process`);
    this.name = 'CheckpointMoved';
  }
}

/** The checkpoint of one subscription: `read.checkpoints`. Every method may throw Unavailable. */
export class CheckpointStore {
  constructor(
    private readonly pool: Pool,
    private readonly subscription: string,
  ) {}

  /** Creates it at 0 if it does not exist. */
  async load(epoch: number): Promise<Checkpoint> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<Checkpoint>(
        // DO UPDATE, although nothing changes: DO NOTHING returns no row to the second of two concurrent inserts.
        `insert into read.checkpoints (subscription, position, epoch) values ($1, 0, $2)
         on conflict (subscription) do update set subscription = excluded.subscription
         returning position, epoch, generation`,
        [this.subscription, epoch],
      ),
    );
    return rows[0]!;
  }

  /**
   * Moves the checkpoint and writes rows: both or neither.
   * @returns the new checkpoint
   * @throws CheckpointMoved if it is no longer at `from`
   */
  async move(from: Checkpoint, to: Checkpoint, writes: readonly Write[]): Promise<Checkpoint> {
    await reportingOutages(() => this.moveOn(this.pool, from, to, writes));
    return to;
  }

  /**
   * Like `move`, with more work in the transaction. The checkpoint comes first: a process that has lost leadership
   * finds out before it writes anything. The checkpoint gets a new generation, because the work changes what others
   * may remember while the position may stay the same. Without it nobody would notice, least of all a process that
   * never received the response.
   * @returns the new checkpoint
   * @throws CheckpointMoved
   */
  async moveWith(
    from: Checkpoint,
    { position, epoch }: Omit<Checkpoint, 'generation'>,
    work: (client: PoolClient) => Promise<void>,
    writes: readonly Write[] = [],
  ): Promise<Checkpoint> {
    const to = { position, epoch, generation: from.generation + 1 };
    await reportingOutages(async () => {
      const client = await this.pool.connect();
      let broken: Error | undefined;
      try {
        await client.query('begin');
        await this.moveOn(client, from, to, writes);
        await work(client);
        await client.query('commit');
      } catch (error) {
        await client.query('rollback').catch((rollbackError: Error) => {
          broken = rollbackError;
        });
        throw error;
      } finally {
        client.release(broken);
      }
    });
    return to;
  }

  private async moveOn(
    client: Pick<PoolClient, 'query'>,
    from: Checkpoint,
    to: Checkpoint,
    writes: readonly Write[],
  ): Promise<void> {
    const { rowCount } = await client.query(moveStatement(this.subscription, from, to, writes));
    if (rowCount !== 1) throw new CheckpointMoved(this.subscription);
  }
}

/** The lowest position that all of these subscriptions have processed; 0 if one has not started. */
export async function leastCheckpoint(pool: Pool, subscriptions: readonly string[]): Promise<bigint> {
  const { rows } = await reportingOutages(() =>
    pool.query<{ least: bigint }>(
      `select coalesce(min(coalesce(c.position, 0)), 0)::bigint as least
       from unnest($1::text[]) as s(name) left join read.checkpoints c on c.subscription = s.name`,
      [subscriptions],
    ),
  );
  return rows[0]?.least ?? 0n;
}
