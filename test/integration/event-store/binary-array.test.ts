import { randomUUID } from 'node:crypto';

import { BinaryArray, bytea, int2, int4, jsonb, text, uuid } from '../../../src/platform/postgres/binary-array.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { postgresOptions } from '../../support/database.js';

describe('binary arrays', () => {
  const pool = createPool({ ...postgresOptions('app'), size: 1 });
  afterAll(() => pool.end());

  const back = async (type: string, value: BinaryArray<unknown>) =>
    (await pool.query<{ back: unknown }>(`select $1::${type}[] as back`, [value])).rows[0]!.back;

  it('arrive unchanged', async () => {
    const ids = [randomUUID(), '01234567-89ab-cdef-fedc-ba9876543210'];
    const texts = ['', 'plain', `"quoted" \\ {,}`, 'NULL', 'Grüße 世界 🚀'];
    const values = [{ a: [1, 'ü', null] }, [], 'text', 7, null];

    expect(await back('int4', new BinaryArray(int4, [0, -1, 2 ** 31 - 1, -(2 ** 31)]))).toEqual([
      0, -1, 2147483647, -2147483648,
    ]);
    expect(await back('int2', new BinaryArray(int2, [1, -1, 32_767]))).toEqual([1, -1, 32_767]);
    expect(await back('uuid', new BinaryArray(uuid, ids))).toEqual(ids);
    const shouted = ids.map((id) => id.toUpperCase());
    expect(await back('uuid', new BinaryArray(uuid, shouted))).toEqual(ids);
    expect(await back('text', new BinaryArray(text, texts))).toEqual(texts);
    const bytes = [Buffer.alloc(0), Buffer.from([0, 255, 92])];
    expect(await back('bytea', new BinaryArray(bytea, bytes))).toEqual(bytes);
    expect(
      await back(
        'jsonb',
        new BinaryArray(
          jsonb,
          values.map((value) => JSON.stringify(value)),
        ),
      ),
    ).toEqual(values);
  });

  it.each([
    ['an invalid digit', '01234567-89ab-cdef-fedc-ba987654321g'],
    ['a character beyond ASCII', '01234567-89ab-cdef-fedc-ba987654321é'],
    ['too short', '01234567-89ab-cdef-fedc-ba98765432'],
    ['an odd number of digits', '01234567-89ab-cdef-fedc-ba987654321'],
    ['too long', '01234567-89ab-cdef-fedc-ba987654321000'],
    ['nothing', ''],
  ])('are not sent if an element is not a UUID: %s', (_what, id) => {
    expect(() => new BinaryArray(uuid, [randomUUID(), id]).toPostgres()).toThrow('is not a UUID');
  });

  it('arrive also if they are empty', async () => {
    expect(await back('text', new BinaryArray(text, []))).toEqual([]);
  });
});
