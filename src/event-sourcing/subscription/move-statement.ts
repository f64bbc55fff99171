import { hash } from 'node:crypto';

import type { QueryConfig } from 'pg';

/** A checkpoint as `read.checkpoints` has it. */
export interface Checkpoint {
  readonly position: bigint;
  readonly epoch: number;
  /** Of the rows that go with it: another one where they have changed and the position has not. */
  readonly generation: number;
}

/** PostgreSQL manual, 4.1.1: what is longer is cut, and two names may become one. */
const NAME_BYTES_MAX = 63;

/** Rows to be written by the statement that moves the checkpoint. */
export interface Write {
  /** Stands for its SQL: what goes by the same name is the same. */
  readonly name: string;
  /** One INSERT, UPDATE or DELETE with one parameter, which does nothing where the condition does not hold. */
  readonly sql: (parameter: string, condition: string) => string;
  readonly value: unknown;
}

/**
 * Moves the checkpoint and writes rows, in one statement: in one round trip, where begin, update, write and commit take
 * four. It returns a row where the checkpoint was at `from`. Where it was not, nothing is written: the writes depend on
 * the update, so who is second waits for its row, sees it moved, and leaves the others' rows alone.
 *
 * Read models and checkpoints are derived and move together, so a crash of Postgres that loses the last of them loses
 * both, and they are applied again. Waiting for the disk would cost a millisecond or more of every read-your-writes;
 * the setting is read when the statement's own transaction commits.
 *
 * By name: to parse and plan so many columns takes 0.7 ms, to carry it out 0.1.
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
