import { randomUUID } from 'node:crypto';

import { binaryArray, bytea, int2, int4, jsonb, text, uuid } from '../../../src/platform/postgres/binary-array.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { postgresOptions } from '../../support/database.js';

describe('arrays in binary', () => {
  const pool = createPool({ ...postgresOptions('app'), size: 1 });
  afterAll(() => pool.end());

  const itself = <Value>(value: Value): Value => value;
  const back = async (type: string, value: Buffer) =>
    (await pool.query<{ back: unknown }>(`select $1::${type}[] as back`, [value])).rows[0]!.back;

  it('arrive as what they were', async () => {
    const ids = [randomUUID(), randomUUID()];
    const texts = ['', 'plain', `"quoted" \\ {,}`, 'NULL', 'Grüße 世界 🚀'];
    const values = [{ a: [1, 'ü', null] }, [], 'text', 7, null];

    expect(await back('int4', binaryArray(int4, [0, -1, 2 ** 31 - 1, -(2 ** 31)], itself))).toEqual([
      0, -1, 2147483647, -2147483648,
    ]);
    expect(await back('int2', binaryArray(int2, [1, -1, 32_767], itself))).toEqual([1, -1, 32_767]);
    expect(await back('uuid', binaryArray(uuid, ids, itself))).toEqual(ids);
    expect(await back('text', binaryArray(text, texts, itself))).toEqual(texts);
    const bytes = [Buffer.alloc(0), Buffer.from([0, 255, 92])];
    expect(await back('bytea', binaryArray(bytea, bytes, itself))).toEqual(bytes);
    expect(
      await back(
        'jsonb',
        binaryArray(jsonb, values, (value) => JSON.stringify(value)),
      ),
    ).toEqual(values);
  });

  it('arrive also where they are empty', async () => {
    expect(await back('text', binaryArray(text, [], itself))).toEqual([]);
  });
});
