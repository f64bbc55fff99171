import { randomBytes, randomUUID } from 'node:crypto';

import { rotateDataKeys } from '../../../src/platform/payloads/key-rotation.js';
import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import type { PayloadRef } from '../../../src/platform/payloads/payload-store.js';
import { PostgresPayloadStore } from '../../../src/platform/payloads/postgres-payload-store.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const [OLD, NEW] = [randomBytes(32), randomBytes(32)];
/** The configurations of processes, in the order of a rotation. */
const keys = {
  before: new MasterKeys(OLD),
  newIsAccepted: new MasterKeys(OLD, [NEW]),
  newIsCurrent: new MasterKeys(NEW, [OLD]),
  after: new MasterKeys(NEW),
};

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

const storeWith = (masterKeys: MasterKeys) => new PostgresPayloadStore({ pool: database.appPool, masterKeys });
const rotate = (masterKeys: MasterKeys, change = true) => rotateDataKeys(database.appPool, masterKeys, change);
const put = (store: PostgresPayloadStore, text: string, ownerId: string = randomUUID()): Promise<PayloadRef> =>
  store.put({ payloadId: randomUUID(), ownerId, kind: 'script', content: Buffer.from(text) });
const read = async (store: PostgresPayloadStore, ref: PayloadRef): Promise<string> =>
  Buffer.from((await store.get(ref))!).toString();

test('every data key is rewrapped once, and the old master key is no longer needed', async () => {
  const refs = await Promise.all(Array.from({ length: 450 }, (_, index) => put(storeWith(keys.before), `${index}`)));
  expect(await rotate(keys.newIsCurrent, false)).toEqual({ current: 0, rewrapped: 0, others: 450, unreadable: [] });
  expect(await rotate(keys.newIsCurrent)).toEqual({ current: 450, rewrapped: 450, others: 0, unreadable: [] });
  expect(await rotate(keys.newIsCurrent)).toEqual({ current: 450, rewrapped: 0, others: 0, unreadable: [] });
  const after = storeWith(keys.after);
  for (const [index, ref] of refs.entries()) expect(await read(after, ref)).toBe(`${index}`);
  await expect(storeWith(keys.before).get(refs[0]!)).rejects.toThrow('no master key');
});

test('processes configured for rotation read and write throughout', async () => {
  const stores = [storeWith(keys.newIsAccepted), storeWith(keys.newIsCurrent)];
  const owners = Array.from({ length: 40 }, () => randomUUID());
  const refs: PayloadRef[] = [];
  for (const owner of owners) refs.push(await put(stores[0]!, owner, owner));
  let isOver = false;
  const load = stores.map(async (store, which) => {
    for (let at = which; !isOver; at += 1) {
      const owner = owners[at % owners.length]!;
      const ref = await put(store, owner, at % 3 === 0 ? randomUUID() : owner);
      expect(await read(stores[1 - which]!, ref)).toBe(owner);
      refs.push(ref);
    }
  });
  for (let round = 0; round < 3; round += 1) await rotate(keys.newIsCurrent);
  isOver = true;
  await Promise.all(load);
  // A key that a process with the old master key has created since.
  await rotate(keys.newIsCurrent);
  for (const ref of refs) expect(await read(storeWith(keys.after), ref)).not.toBe('');
});

test('erased users stay erased', async () => {
  const owner = randomUUID();
  const ref = await put(storeWith(keys.before), 'gone', owner);
  await storeWith(keys.before).destroyKey(owner);
  expect(await rotate(keys.newIsCurrent)).toMatchObject({ current: 0, rewrapped: 0 });
  expect(await storeWith(keys.after).get(ref)).toBeNull();
});

test('a data key that cannot be unwrapped is reported and left unchanged', async () => {
  const owner = randomUUID();
  const lost = new MasterKeys(randomBytes(32));
  const ref = await put(storeWith(lost), 'theirs', owner);
  await put(storeWith(keys.before), 'ours');
  expect(await rotate(keys.newIsCurrent)).toEqual({ current: 1, rewrapped: 1, others: 0, unreadable: [owner] });
  expect(await read(storeWith(lost), ref)).toBe('theirs');
});
