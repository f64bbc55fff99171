import { randomBytes, randomUUID } from 'node:crypto';

import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import {
  PostgresCompiledPrograms,
  sweepCompiledPrograms,
} from '../../../src/platform/payloads/postgres-compiled-programs.js';
import { PostgresPayloadStore } from '../../../src/platform/payloads/postgres-payload-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const MAX = 10_000;
const KEY = randomBytes(32);
const PROGRAM = randomBytes(4_000);
const masterKeys = new MasterKeys(randomBytes(32));

let database: TestDatabase;
let programs: PostgresCompiledPrograms;
let ada: string;
beforeAll(async () => {
  database = await createTestDatabase();
  programs = store();
});
beforeEach(() => {
  ada = randomUUID();
});
afterAll(() => database.drop());

const store = (ageMsMax?: number) =>
  new PostgresCompiledPrograms({
    ...{ pool: database.appPool, masterKeys, ownerBytesMax: MAX },
    ...(ageMsMax !== undefined && { ageMsMax }),
  });

const rows = async (ownerId: string) =>
  (
    await database.appPool.query<{ key: Buffer; ciphertext: Buffer }>(
      'select key, ciphertext from es.compiled_programs where owner_id = $1',
      [ownerId],
    )
  ).rows;

/** As if a program had been stored that long ago. */
const age = (ownerId: string, ms: number) =>
  database.appPool.query(
    `update es.compiled_programs set stored_at = stored_at - $2 * interval '1 millisecond' where owner_id = $1`,
    [ownerId, ms],
  );

test('a program is found by its owner and its key only, and is encrypted', async () => {
  await programs.keep(ada, KEY, PROGRAM);
  expect(await programs.find(ada, KEY)).toEqual(PROGRAM);
  expect(await programs.find(ada, randomBytes(32))).toBeNull();
  expect(await programs.find(randomUUID(), KEY)).toBeNull();
  const [row] = await rows(ada);
  expect(row!.ciphertext.includes(PROGRAM.subarray(0, 16))).toBe(false);
});

test('a program of another owner, or under another key, is not accepted', async () => {
  const bob = randomUUID();
  await programs.keep(ada, KEY, PROGRAM);
  await programs.keep(bob, KEY, PROGRAM);
  const [row] = await rows(bob);
  await database.appPool.query('update es.compiled_programs set ciphertext = $2 where owner_id = $1', [
    ada,
    row!.ciphertext,
  ]);
  await expect(programs.find(ada, KEY)).rejects.toThrow();
});

test('the oldest programs of an owner make room for new ones', async () => {
  const keys = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;
  for (const key of keys) {
    await age(ada, 1_000);
    await programs.keep(ada, key, PROGRAM);
  }
  expect(await Promise.all(keys.map((key) => programs.find(ada, key)))).toEqual([null, PROGRAM, PROGRAM]);
  await programs.keep(ada, KEY, Buffer.alloc(MAX + 1));
  expect(await rows(ada)).toHaveLength(2);
});

test('an owner has at most 200 programs, however small', async () => {
  await database.appPool.query(
    `insert into es.compiled_programs (owner_id, key, bytes, ciphertext, stored_at)
     select $1, int4send(n), 1, '', now() - n * interval '1 minute' from generate_series(1, 250) n`,
    [ada],
  );
  await programs.keep(ada, KEY, Buffer.from('x'));
  expect(await rows(ada)).toHaveLength(200);
  expect(await programs.find(ada, KEY)).toEqual(Buffer.from('x'));
});

test('a program that is too old is not found, replaced by the next, and swept', async () => {
  const brief = store(60_000);
  await brief.keep(ada, KEY, PROGRAM);
  await age(ada, 60_001);
  expect(await brief.find(ada, KEY)).toBeNull();
  const compiled = randomBytes(100);
  await brief.keep(ada, KEY, compiled);
  expect(await brief.find(ada, KEY)).toEqual(compiled);
  await age(ada, 60_001);
  await sweepCompiledPrograms(database.appPool, 60_000);
  expect(await rows(ada)).toEqual([]);
});

test('an erased owner has no programs, and gets none', async () => {
  await programs.keep(ada, KEY, PROGRAM);
  await new PostgresPayloadStore({ pool: database.appPool, masterKeys }).destroyKey(ada);
  expect(await programs.find(ada, KEY)).toBeNull();
  // The key is still in the memory of this process.
  await programs.keep(ada, randomBytes(32), PROGRAM);
  expect((await rows(ada)).map(({ key }) => key)).toEqual([KEY]);
  await sweepCompiledPrograms(database.appPool);
  expect(await rows(ada)).toEqual([]);
  await expect(store().keep(ada, KEY, PROGRAM)).rejects.toMatchObject({ code: 'owner_erased' });
});
