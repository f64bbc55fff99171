import type { Pool, PoolClient, QueryResult } from 'pg';

import { reportingOutages } from '../postgres/outage.js';

export interface Checkpoint {
  readonly position: bigint;
  readonly epoch: number;
}

/** Somebody else has moved the checkpoint: another leader, or a rebuild. What was about to be written is stale. */
export class CheckpointMoved extends Error {
  constructor(subscription: string) {
    super(`the checkpoint of ${subscription} was moved by somebody else`);
    this.name = 'CheckpointMoved';
  }
}

/**
 * Read models and checkpoints are derived and move together, so a crash of Postgres that loses the last of them loses
 * both, and they are applied again. Waiting for the disk would cost a millisecond or more of every read-your-writes.
 */
const BEGIN = 'begin; set local synchronous_commit = off';

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
         on conflict (subscription) do update set subscription = excluded.subscription returning position, epoch`,
        [this.subscription, epoch],
      ),
    );
    return rows[0]!;
  }

  /**
   * Moves the checkpoint and runs work, in one transaction. The checkpoint comes first: who has lost the lead finds out
   * before it writes anything. It travels with BEGIN in one round trip, as text, so its parameters are escaped here.
   * @throws CheckpointMoved where it is not at `from` any more
   */
  async move(from: Checkpoint, to: Checkpoint, work: (client: PoolClient) => Promise<void>): Promise<void> {
    await reportingOutages(async () => {
      const client = await this.pool.connect();
      let broken: Error | undefined;
      try {
        await this.begin(client, from, to);
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
  }

  private async begin(client: PoolClient, from: Checkpoint, to: Checkpoint): Promise<void> {
    const results = (await client.query(
      `${BEGIN}; update read.checkpoints set position = ${to.position}, epoch = ${to.epoch}, updated_at = now()
       where subscription = ${client.escapeLiteral(this.subscription)}
         and position = ${from.position} and epoch = ${from.epoch}`,
    )) as unknown as QueryResult[];
    if (results.at(-1)?.rowCount !== 1) throw new CheckpointMoved(this.subscription);
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
