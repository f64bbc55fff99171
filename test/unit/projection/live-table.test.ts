import type { Pool } from 'pg';

import { LiveTable } from '../../../src/event-sourcing/projection/live-table.js';
import { Unavailable } from '../../../src/kernel/errors.js';
import { toyEvent, toyProjection } from '../../support/toy-log.js';

const added = (id: string, version: number, amount: number) => toyEvent(id, version, 'ToyAdded', { amount });
const removed = (id: string, version: number) => toyEvent(id, version, 'ToyRemoved');
const row = (id: string, total: number) => ({ id, total, big: '0', notes: [], facts: {}, at: 'now', version: 1 });

/** @param stored the rows that the database returns */
function setUp(stored: Record<string, unknown>[] = [], projection = toyProjection) {
  const asked: string[][] = [];
  const query = (_sql: string, [keys]: [string[]]) => {
    asked.push(keys);
    return Promise.resolve({ rows: stored.filter(({ id }) => keys.includes(id as string)) });
  };
  const table = new LiveTable({ query } as unknown as Pick<Pool, 'query'>, projection);
  return { asked, table };
}

const written = (value: unknown) =>
  (JSON.parse(value as string) as { id: string; total: number }[]).map(({ id, total }) => [id, total]);

describe('LiveTable', () => {
  it('loads a row once, and not for a new stream', async () => {
    const { asked, table } = setUp([row('b', 10)]);
    const first = await table.change([added('a', 1, 1), added('b', 7, 1)]);
    expect(written(first.writes[0]!.value)).toEqual([
      ['a', 1],
      ['b', 11],
    ]);
    first.applied();
    const second = await table.change([added('a', 2, 1), added('b', 8, 1)]);
    expect(written(second.writes[0]!.value)).toEqual([
      ['a', 2],
      ['b', 12],
    ]);
    expect(asked).toEqual([['b']]);
  });

  it('remembers nothing that was not committed', async () => {
    const { table } = setUp([row('b', 10)]);
    await table.change([added('b', 7, 5)]);
    const again = await table.change([added('b', 7, 5)]);
    expect(written(again.writes[0]!.value)).toEqual([['b', 15]]);
  });

  it('loads removed rows again, and all rows after forget()', async () => {
    const { asked, table } = setUp([row('b', 10)]);
    const removal = await table.change([added('a', 1, 1), removed('b', 7)]);
    expect(removal.writes.map(({ name }) => name)).toEqual(['toys_upsert', 'toys_delete']);
    removal.applied();
    await table.rows([added('b', 8, 1)]);
    table.forget();
    await table.rows([added('a', 2, 1), added('b', 8, 1)]);
    expect(asked).toEqual([['b'], ['b'], ['a', 'b']]);
  });

  it('loads a row whose id is not its stream’s, also for a new stream', async () => {
    const shared = setUp([], { ...toyProjection, keyOf: () => 'everybody' });
    const own = setUp();
    await shared.table.rows([added('a', 1, 1)]);
    await own.table.rows([added('a', 1, 1)]);
    expect([shared.asked, own.asked]).toEqual([[['everybody']], []]);
  });

  it('reports that Postgres is unavailable', async () => {
    const away = { query: () => Promise.reject(Object.assign(new Error(), { code: 'ECONNREFUSED' })) };
    const table = new LiveTable(away as unknown as Pick<Pool, 'query'>, toyProjection);
    await expect(table.change([added('a', 2, 1)])).rejects.toThrow(Unavailable);
  });
});
