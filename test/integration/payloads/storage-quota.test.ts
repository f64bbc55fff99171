import { randomBytes, randomUUID } from 'node:crypto';

import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import { PayloadDestruction } from '../../../src/platform/payloads/payload-destruction.js';
import { PostgresPayloadStore } from '../../../src/platform/payloads/postgres-payload-store.js';
import { PostgresStorageQuota } from '../../../src/platform/payloads/postgres-storage-quota.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const MAX = 100_000;
let database: TestDatabase;
let store: PostgresPayloadStore;
let nowMs = 0;
beforeAll(async () => {
  database = await createTestDatabase();
  store = new PostgresPayloadStore({ pool: database.appPool, masterKeys: new MasterKeys(randomBytes(32)) });
});
afterAll(() => database.drop());

const aQuota = (max = MAX) => new PostgresStorageQuota(database.appPool, max, () => nowMs);
const put = (ownerId: string, bytes: number) =>
  store.put({ payloadId: randomUUID(), ownerId, kind: 'stdout', content: Buffer.alloc(bytes) });
const refused = (stored: number) => ({
  code: 'quota_exceeded',
  kind: 'too_many',
  details: { quota: 'stored_bytes', max: MAX, stored, retry_after: 600 },
});

test('each user has the same quota', async () => {
  const [ada, bob, quota] = [randomUUID(), randomUUID(), aQuota()];
  await put(ada, 60_000);
  await quota.check(ada, 40_000);
  await expect(quota.check(ada, 1)).rejects.toMatchObject(refused(MAX));
  await quota.check(bob, MAX);
  await expect(quota.check(bob, 0)).rejects.toMatchObject(refused(MAX));
});

test('content that fits exactly is accepted; a full quota refuses starts that would store more', async () => {
  const [ada, quota] = [randomUUID(), aQuota()];
  await put(ada, MAX - 2_000);
  await quota.check(ada, 0);
  await expect(quota.check(ada, 2_001)).rejects.toMatchObject(refused(MAX - 2_000));
  await quota.check(ada, 2_000);
});

test('content stored by other processes counts within ten seconds, and freed space within one', async () => {
  const [ada, quota] = [randomUUID(), aQuota()];
  await quota.check(ada, 0);
  await put(ada, MAX);
  nowMs += 9_999;
  await quota.check(ada, 0);
  nowMs += 1;
  await expect(quota.check(ada, 0)).rejects.toMatchObject(refused(MAX));
  await new PayloadDestruction(database.appPool).destroyOf(ada, new AbortController().signal);
  nowMs += 1_000;
  await quota.check(ada, MAX);
});

test('a small payload counts as 1 KiB, before and after it is stored', async () => {
  const [ada, quota] = [randomUUID(), aQuota(3 * 1_024)];
  for (let no = 0; no < 2; no += 1) await put(ada, 1);
  await quota.check(ada, 1);
  await expect(quota.check(ada, 1)).rejects.toMatchObject({ details: { stored: 3 * 1_024 } });
});

test('concurrent requests share one sum', async () => {
  const query = jest.spyOn(database.appPool, 'query');
  const [ada, quota] = [randomUUID(), aQuota()];
  await Promise.all(Array.from({ length: 20 }, () => quota.check(ada, 5_000)));
  expect(query).toHaveBeenCalledTimes(1);
  query.mockRestore();
  await expect(quota.check(ada, 1)).rejects.toMatchObject({ code: 'quota_exceeded' });
});

test('refused content does not count', async () => {
  const [ada, quota] = [randomUUID(), aQuota()];
  await expect(quota.check(ada, MAX + 1)).rejects.toMatchObject(refused(0));
  await quota.check(ada, MAX);
});

test('without a quota nothing is limited', async () => {
  const [ada, quota] = [randomUUID(), aQuota(0)];
  await put(ada, MAX);
  await quota.check(ada, 1e12);
});
