import type { Pool, PoolClient } from 'pg';

import { reportingOutages } from '../../platform/postgres/outage.js';
import { type Checkpoint, moveStatement, type Write } from './move-statement.js';

/** Somebody else has moved the checkpoint: another leader, or a rebuild. What was about to be written is stale. */
export class CheckpointMoved extends Error {
  constructor(subscription: string) {
    super(`the checkpoint of ${subscription} was moved by somebody else`);
    this.name = 'CheckpointMoved';
  }
}

/** The checkpoint of one subscription: `read.checkpoints`. Every method may throw Unavailable. */
export class CheckpointStore {
  constructor(
    private readonly pool: Pool,
    private readonly subscription: string,
  ) {}

  /** Creates it at 0 where there is none. */
  async load(epoch: number): Promise<Checkpoint> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<Checkpoint>(
        // DO UPDATE, although nothing changes: DO NOTHING returns no row to the second of two that begin together.
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
   * @returns where it is now
   * @throws CheckpointMoved where it is not at `from` any more
   */
  async move(from: Checkpoint, to: Checkpoint, writes: readonly Write[]): Promise<Checkpoint> {
    await reportingOutages(() => this.moveOn(this.pool, from, to, writes));
    return to;
  }

  /**
   * The same with more work in its transaction. The checkpoint comes first: who has lost the lead finds out before it
   * writes anything. It gets a new generation, since the work changes what others may remember, and the position may
   * stay what it is: without it nobody would notice, least of all who never got the answer.
   * @returns where it is now
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

/** The least position that all of these subscriptions have dealt with; 0 where one has not begun. */
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
