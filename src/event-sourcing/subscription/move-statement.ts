import { hash } from 'node:crypto';

import type { QueryConfig } from 'pg';

/** A row of `read.checkpoints`. */
export interface Checkpoint {
  readonly position: bigint;
  readonly epoch: number;
  /** Of the rows that belong to the checkpoint: it is raised if they change and the position does not. */
  readonly generation: number;
}

/** PostgreSQL manual, 4.1.1: longer names are cut, and two names may become one. */
const NAME_BYTES_MAX = 63;

/** Rows that are written by the statement that moves the checkpoint. */
export interface Write {
  /** Identifies its SQL: the same name means the same SQL. */
  readonly name: string;
  /** One INSERT, UPDATE or DELETE with one parameter, which does nothing if the condition is false. */
  readonly sql: (parameter: string, condition: string) => string;
  readonly value: unknown;
}

/**
 * Moves the checkpoint and writes rows, in one statement: one round trip, where begin, update, write and commit take
 * four. It returns a row if the checkpoint was at `from`. Otherwise nothing is written: the writes depend on the
 * update, so the second of two writers waits for the row of the checkpoint, sees that it moved, and leaves the rows of
 * the first alone.
 *
 * Read models and checkpoints are derived and move together. If a crash of Postgres loses the last changes, it loses
 * both, and they are applied again. Waiting for the disk would add a millisecond or more to every read-your-writes.
 * The setting is read when the transaction of the statement commits.
 *
 * Named: parsing and planning so many columns takes 0.7 ms, executing them 0.1.
 */
export function moveStatement(
  subscription: string,
  from: Checkpoint,
  to: Checkpoint,
  writes: readonly Write[],
): QueryConfig {
  const { position, epoch, generation } = from;
  const values: unknown[] = [to.position, to.epoch, to.generation, subscription, position, epoch, generation];
  const parts = writes.map(({ name, sql, value }) => {
    const parameter = `$${values.push(value)}`;
    return `, ${name} as (${sql(parameter, 'exists (select from moved)')})`;
  });
  return {
    name: nameOf(writes),
    text: `with moved as (
        update read.checkpoints set position = $1, epoch = $2, generation = $3, updated_at = now()
        where subscription = $4 and position = $5 and epoch = $6 and generation = $7 returning 1
      )${parts.join('')}
      select set_config('synchronous_commit', 'off', true) from moved`,
    values,
  };
}

function nameOf(writes: readonly Write[]): string {
  const name = ['move', ...writes.map((write) => write.name)].join(' ');
  return name.length <= NAME_BYTES_MAX ? name : `move ${hash('sha1', name)}`;
}
