import { randomBytes, randomUUID } from 'node:crypto';

import { DataKeys } from '../../../src/platform/payloads/data-keys.js';
import { rotateDataKeys } from '../../../src/platform/payloads/key-rotation.js';
import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import { PostgresSealedTexts } from '../../../src/platform/payloads/sealed-texts.js';
import { newEndpoint } from '../../../src/webhook-endpoints/endpoint.js';
import { EndpointSeals } from '../../../src/webhook-endpoints/endpoint-seals.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';

const [OLD, NEW] = [randomBytes(32), randomBytes(32)];
const endpoint = newEndpoint('https://example.com/hook?token=s3cr3t', 'für mich');

let database: TestDatabase;
let ownerId: string;
let of: { readonly webhookId: string };
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => {
  ownerId = randomUUID();
  of = { webhookId: randomUUID() };
});
afterAll(() => database.drop());

/** As another process would have them: nothing is remembered. */
const seals = (masterKeys = new MasterKeys(OLD)) =>
  new EndpointSeals(new PostgresSealedTexts({ pool: database.appPool, masterKeys }));

test('an endpoint is opened by another process, as it was sealed', async () => {
  const sealed = await seals().seal(ownerId, of, endpoint);
  expect(await seals().open(ownerId, of, sealed)).toEqual(endpoint);
  expect(await seals().open(ownerId.toUpperCase(), of, sealed)).toEqual(endpoint);
});

test('what is stored tells nothing, and is different each time', async () => {
  const [one, other] = [await seals().seal(ownerId, of, endpoint), await seals().seal(ownerId, of, endpoint)];
  expect(one).not.toBe(other);
  const text = Buffer.from(one, 'base64').toString('latin1');
  for (const secret of ['example.com', 's3cr3t', endpoint.secret]) expect(text).not.toContain(secret);
});

test('it opens for nothing and for nobody else', async () => {
  const sealed = await seals().seal(ownerId, of, endpoint);
  await expect(seals().open(ownerId, { webhookId: randomUUID() }, sealed)).rejects.toThrow();
  await expect(seals().open(ownerId, { executionId: of.webhookId }, sealed)).rejects.toThrow();
  await expect(seals().open(randomUUID(), of, sealed)).rejects.toThrow();
  const bytes = Buffer.from(sealed, 'base64');
  bytes[bytes.length - 1]! ^= 1;
  await expect(seals().open(ownerId, of, bytes.toString('base64'))).rejects.toThrow();
});

test('of an erased owner nothing is opened or sealed', async () => {
  const sealed = await seals().seal(ownerId, of, endpoint);
  await new DataKeys(database.appPool, new MasterKeys(OLD)).destroy(ownerId);
  expect(await seals().open(ownerId, of, sealed)).toBeNull();
  await expect(seals().seal(ownerId, of, endpoint)).rejects.toMatchObject({ code: 'owner_erased' });
});

test('it survives a rotation of the master key', async () => {
  const sealed = await seals().seal(ownerId, of, endpoint);
  await rotateDataKeys(database.appPool, new MasterKeys(NEW, [OLD]), true);
  expect(await seals(new MasterKeys(NEW)).open(ownerId, of, sealed)).toEqual(endpoint);
});
