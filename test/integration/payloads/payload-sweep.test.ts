import { randomBytes, randomUUID } from 'node:crypto';

import type { Pool } from 'pg';

import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import { PayloadDestruction } from '../../../src/platform/payloads/payload-destruction.js';
import type { PayloadKind, PayloadRef } from '../../../src/platform/payloads/payload-store.js';
import { PayloadSweep } from '../../../src/platform/payloads/payload-sweep.js';
import { PostgresPayloadStore } from '../../../src/platform/payloads/postgres-payload-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;

let database: TestDatabase;
let pool: Pool;
let store: PostgresPayloadStore;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = database.appPool;
  store = new PostgresPayloadStore({ pool, masterKeys: new MasterKeys(randomBytes(32)) });
});
afterAll(() => database.drop());

const put = (kind: PayloadKind, ownerId: string = randomUUID(), bytes = 3): Promise<PayloadRef> =>
  store.put({ payloadId: randomUUID(), ownerId, kind, content: Buffer.alloc(bytes, 'x') });

/** As if it had been stored that long ago. */
async function age(refs: readonly PayloadRef[], ms: number): Promise<void> {
  const sql = `alter table es.payloads disable trigger write_once;
    update es.payloads set created_at = created_at - ${ms} * interval '1 millisecond'
    where payload_id in (${refs.map(({ payload_id }) => `'${payload_id}'`).join()});
    alter table es.payloads enable always trigger write_once`;
  await database.ownerPool.query(sql);
}
const areKept = (refs: readonly PayloadRef[]) => Promise.all(refs.map(async (ref) => (await store.get(ref)) !== null));
const KEPT = { executionsMs: HOUR_MS, deletedTasksMs: HOUR_MS, unreferencedScriptsMs: 0 };
const aSweep = (more: Partial<typeof KEPT> = {}) => new PayloadSweep(pool, { ...KEPT, ...more });

test('inputs and outputs are destroyed after their retention; scripts and tests of tasks are not', async () => {
  const old = await Promise.all(
    (['input', 'stdout', 'test_results', 'script', 'suite'] as const).map((kind) => put(kind)),
  );
  const young = await Promise.all([put('input'), put('stdout')]);
  await age(old, HOUR_MS + 60_000);
  await age(young, HOUR_MS - 60_000);
  const sweep = aSweep();
  expect(await sweep.sweep(never)).toEqual({ payloads: 3, bytes: 9 });
  expect([await areKept(old), await areKept(young)]).toEqual([
    [false, false, false, true, true],
    [true, true],
  ]);
  expect(await sweep.sweep(never)).toEqual({ payloads: 0, bytes: 0 });
  expect(sweep.figures).toEqual({ payloads: 3, bytes: 9 });
});

test('more payloads than one statement handles, swept by two processes at once', async () => {
  const owner = randomUUID();
  const old = await Promise.all(Array.from({ length: 450 }, () => put('stdout', owner)));
  await age(old, 2 * HOUR_MS);
  const swept = await Promise.all([aSweep().sweep(never), aSweep().sweep(never)]);
  expect(swept[0].payloads + swept[1].payloads).toBe(450);
  expect(await areKept(old)).toEqual(old.map(() => false));
});

test('with unlimited retention nothing is destroyed', async () => {
  const old = [await put('stdout')];
  await age(old, 1_000 * HOUR_MS);
  expect(await aSweep({ executionsMs: 0, deletedTasksMs: 0 }).sweep(never)).toEqual({ payloads: 0, bytes: 0 });
  expect(await areKept(old)).toEqual([true]);
});

test('all payloads of one owner, and of no other', async () => {
  const [ada, bob] = [randomUUID(), randomUUID()];
  const [hers, his] = [await Promise.all([put('script', ada), put('stdout', ada)]), [await put('script', bob)]];
  await new PayloadDestruction(pool).destroyOf(ada, never);
  expect([await areKept(hers), await areKept(his)]).toEqual([[false, false], [true]]);
});

test('the hash of a destroyed payload stays, and cannot be changed', async () => {
  const ref = await put('stdout');
  await age([ref], 2 * HOUR_MS);
  await aSweep().sweep(never);
  const { rows } = await pool.query('select sha256, bytes from es.destroyed_payloads where payload_id = $1', [
    ref.payload_id,
  ]);
  expect(rows).toEqual([{ sha256: ref.sha256, bytes: ref.bytes }]);
  for (const sql of [`update es.destroyed_payloads set sha256 = ''`, 'delete from es.destroyed_payloads']) {
    await expect(database.ownerPool.query(sql)).rejects.toThrow('append-only');
    await expect(pool.query(sql)).rejects.toThrow('permission denied');
  }
  await expect(pool.query('delete from es.payloads')).rejects.toThrow('permission denied');
});

test('a destroyed payload is not stored again: a repeated put returns its reference', async () => {
  const payload = {
    payloadId: randomUUID(),
    ownerId: randomUUID(),
    kind: 'stdout',
    content: Buffer.from('x'),
  } as const;
  const ref = await store.put(payload);
  await new PayloadDestruction(pool).destroyOf(payload.ownerId, never);
  expect(await store.put(payload)).toEqual(ref);
  expect(await store.get(ref)).toBeNull();
});

test('it stops when the signal aborts', async () => {
  await expect(aSweep().sweep(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
});
