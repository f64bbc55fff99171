import { randomBytes } from 'node:crypto';

import { Unavailable } from '../../../src/kernel/errors.js';
import { newId } from '../../../src/kernel/uuid.js';
import { MasterKeys } from '../../../src/platform/payloads/master-keys.js';
import { PostgresPayloadStore } from '../../../src/platform/payloads/postgres-payload-store.js';
import { sealedBytesOf } from '../../../src/platform/payloads/sealed-box.js';
import { createPool } from '../../../src/platform/postgres/pool.js';
import { createTestDatabase, type TestDatabase } from '../../support/database.js';
import { eventually } from '../../support/eventually.js';

describe('the payload store', () => {
  const masterKey = randomBytes(32);
  let database: TestDatabase;
  let store: PostgresPayloadStore;

  beforeAll(async () => {
    database = await createTestDatabase();
    store = new PostgresPayloadStore({ pool: database.appPool, masterKeys: new MasterKeys(masterKey) });
  });

  afterAll(() => database.drop());

  /** Another process: with nothing in memory. */
  const elsewhere = (key = masterKey) =>
    new PostgresPayloadStore({ pool: database.appPool, masterKeys: new MasterKeys(key) });

  const payload = (content: Uint8Array | string, ownerId = newId()) => ({
    payloadId: newId(),
    ownerId,
    kind: 'script' as const,
    content: Buffer.from(content),
  });

  /** What an attacker with access to the database could do. */
  const tamper = async (sql: string, values: unknown[]) => {
    await database.ownerPool.query('alter table es.payloads disable trigger write_once');
    await database.ownerPool.query(sql, values);
    await database.ownerPool.query('alter table es.payloads enable always trigger write_once');
  };

  it.each([
    ['text', Buffer.from('print("hello")')],
    ['nothing', Buffer.alloc(0)],
    ['any bytes', randomBytes(1_000)],
    ['a megabyte', randomBytes(1024 ** 2)],
    ['several pieces', randomBytes(3 * 1024 ** 2 - 29)],
  ])('returns %s, in every process', async (_what, content) => {
    const ref = await store.put(payload(content));

    expect(ref.bytes).toBe(content.length);
    expect(Buffer.from((await store.get(ref))!).equals(content)).toBe(true);
    expect(Buffer.from((await elsewhere().get(ref))!).equals(content)).toBe(true);
  });

  it('frees the content if it may', async () => {
    const content = randomBytes(100_000);
    const mine = { ...payload('x'), content: Buffer.from(new Uint8Array(content).buffer), freesContent: true };
    const ref = await store.put(mine);
    expect(mine.content).toHaveLength(0);
    expect(Buffer.from((await store.get(ref))!).equals(content)).toBe(true);
    const again = await store.put({ ...mine, content: randomBytes(100_000), freesContent: false });
    expect(again).toEqual(ref);
  });

  it('does not return a large payload that was shortened, or whose key is destroyed', async () => {
    const mine = payload(randomBytes(2 * 1024 ** 2));
    const ref = await store.put(mine);
    await tamper('update es.payloads set ciphertext = substring(ciphertext for 1500000) where payload_id = $1', [
      mine.payloadId,
    ]);
    await expect(store.get(ref)).rejects.toThrow('does not match its event');
    await store.destroyKey(mine.ownerId);
    expect(await store.get(ref)).toBeNull();
  });

  it('does not return a large payload to which something was appended', async () => {
    // Sealed, it has as many bytes as are read at a time.
    const mine = payload(randomBytes(1024 ** 2 - sealedBytesOf(0)));
    const ref = await store.put(mine);
    expect(Buffer.from((await store.get(ref))!).equals(mine.content)).toBe(true);
    await tamper(`update es.payloads set ciphertext = ciphertext || '\\x00' where payload_id = $1`, [mine.payloadId]);
    await expect(store.get(ref)).rejects.toThrow('does not match its event');
  });

  it('waits for a concurrent put of the same payload, without a deadlock', async () => {
    const [low, high] = [payload('one'), payload('other')];
    const ownerId = low.ownerId;
    await store.put(payload('makes the key', ownerId));
    const other = await database.ownerPool.connect();
    const insert = ({ payloadId }: { payloadId: string }) =>
      other.query(`insert into es.payloads values ($1, $2, 'script', '\\x00', 1, 'theirs')`, [payloadId, ownerId]);
    try {
      await other.query('begin');
      await insert(low);
      const refs = Promise.all([store.put({ ...high, ownerId }), store.put(low)]);
      await eventually(async () => {
        const { rows } = await database.ownerPool.query(
          `select from pg_locks join pg_stat_activity using (pid) where not granted and datname = current_database()`,
        );
        expect(rows).toHaveLength(1);
      });
      await insert(high);
      await other.query('commit');
      expect((await refs).map(({ sha256 }) => sha256)).toEqual(['theirs', 'theirs']);
    } finally {
      other.release(true);
    }
  });

  it('stores no plaintext, and no key', async () => {
    const mine = payload('a secret that must not be readable');
    const ref = await store.put(mine);

    const { rows } = await database.ownerPool.query(
      `select ciphertext, encode(sha256(ciphertext), 'hex') as sha256, wrapped_key
       from es.payloads join es.data_keys using (owner_id) where payload_id = $1`,
      [mine.payloadId],
    );
    expect(rows[0].ciphertext.includes('secret')).toBe(false);
    expect(rows[0].wrapped_key.includes(masterKey)).toBe(false);
    expect(rows[0].sha256).toBe(ref.sha256);
  });

  it('keeps the first write of an id', async () => {
    const mine = payload('first');
    const first = await store.put(mine);

    const second = await elsewhere().put({ ...mine, content: Buffer.from('second') });

    expect(second).toEqual(first);
    expect(Buffer.from((await store.get(first))!).toString()).toBe('first');
  });

  it('accepts one of many concurrent writes of an id', async () => {
    const mine = payload('race');
    const refs = await Promise.all(Array.from({ length: 8 }, () => elsewhere().put(mine)));

    expect(new Set(refs.map(({ sha256 }) => sha256)).size).toBe(1);
    expect(Buffer.from((await store.get(refs[0]!))!).toString()).toBe('race');
  });

  it('accepts one of two writes of an id in one batch', async () => {
    const mine = payload('one');
    // If the key exists, nobody overtakes.
    await store.put(payload('ahead', mine.ownerId));
    const [one, other] = await Promise.all([store.put(mine), store.put({ ...mine, content: Buffer.from('other') })]);

    expect(other).toEqual(one);
    expect(Buffer.from((await store.get(one))!).toString()).toBe('one');
  });

  it('does not mix up concurrent payloads of many owners', async () => {
    const erased = newId();
    await store.put(payload('gone', erased));
    await elsewhere().destroyKey(erased);
    const texts = Array.from({ length: 70 }, (_, index) => `script ${index}`);

    const [refs, refused] = await Promise.all([
      Promise.all(texts.map((text) => store.put(payload(text)))),
      store.put(payload('late', erased)).catch((error: unknown) => error),
    ]);
    const back = await Promise.all(refs.map((ref) => elsewhere().get(ref)));

    expect(refused).toMatchObject({ code: 'owner_erased' });
    expect(back.map((bytes) => Buffer.from(bytes!).toString())).toEqual(texts);
  });

  it('binds a payload to its owner', async () => {
    const mine = payload('mine');
    await store.put(mine);

    await expect(store.put({ ...mine, ownerId: newId() })).rejects.toThrow('is taken');
    await expect(store.put({ ...mine, kind: 'input' })).rejects.toThrow('is taken');
  });

  it('finds an owner by the id in any spelling', async () => {
    const mine = payload('mine');
    const ref = await store.put({ ...mine, ownerId: mine.ownerId.toUpperCase() });

    expect(Buffer.from((await elsewhere().get(ref))!).toString()).toBe('mine');
    expect(await elsewhere().put(mine)).toEqual(ref);
  });

  it('returns null for an unknown id', async () => {
    expect(await store.get({ payload_id: newId(), bytes: 1, sha256: '' })).toBeNull();
  });

  it('detects changed bytes', async () => {
    const ref = await store.put(payload('untouched'));
    await tamper(
      `update es.payloads set ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)
      where payload_id = $1`,
      [ref.payload_id],
    );

    await expect(store.get(ref)).rejects.toThrow('does not match its event');
  });

  it('detects bytes that were changed together with the hash', async () => {
    const ref = await store.put(payload('untouched'));
    await tamper(
      `update es.payloads set ciphertext = set_byte(ciphertext, 20, get_byte(ciphertext, 20) # 1)
      where payload_id = $1`,
      [ref.payload_id],
    );
    const { rows } = await database.ownerPool.query<{ sha256: string }>(
      `select encode(sha256(ciphertext), 'hex') as sha256 from es.payloads where payload_id = $1`,
      [ref.payload_id],
    );

    await expect(store.get({ ...ref, sha256: rows[0]!.sha256 })).rejects.toThrow(/authenticate/);
  });

  it('detects a payload that was moved to another id', async () => {
    const ownerId = newId();
    const [one, two] = [await store.put(payload('one', ownerId)), await store.put(payload('two', ownerId))];
    await tamper(
      `update es.payloads p set ciphertext = q.ciphertext from es.payloads q
       where p.payload_id = $1 and q.payload_id = $2`,
      [one.payload_id, two.payload_id],
    );

    await expect(store.get({ ...one, sha256: two.sha256 })).rejects.toThrow(/authenticate/);
  });

  it('needs its own master key', async () => {
    const ref = await store.put(payload('mine'));
    await expect(elsewhere(randomBytes(32)).get(ref)).rejects.toThrow(/no master key/);
    expect(() => elsewhere(randomBytes(16))).toThrow('32 bytes');
  });

  describe('after an owner was erased', () => {
    it('the owner’s payloads are unreadable in every process, and all others readable', async () => {
      const ownerId = newId();
      const ref = await store.put(payload('personal', ownerId));
      const other = await store.put(payload('other'));

      await elsewhere().destroyKey(ownerId);
      await elsewhere().destroyKey(ownerId);

      expect(await store.get(ref)).toBeNull();
      expect(await elsewhere().get(ref)).toBeNull();
      expect(await store.get(other)).not.toBeNull();
    });

    it('nothing is written for the owner, also by a process that has the key in memory', async () => {
      const ownerId = newId();
      await store.put(payload('personal', ownerId));
      await elsewhere().destroyKey(ownerId);

      for (const writer of [store, elsewhere()]) {
        await expect(writer.put(payload('late', ownerId))).rejects.toMatchObject({ code: 'owner_erased' });
      }
    });

    it('the hash of the content stays', async () => {
      const ownerId = newId();
      const ref = await store.put(payload('personal', ownerId));
      await store.destroyKey(ownerId);

      const { rows } = await database.appPool.query(
        `select encode(sha256(ciphertext), 'hex') as sha256 from es.payloads where payload_id = $1`,
        [ref.payload_id],
      );
      expect(rows).toEqual([{ sha256: ref.sha256 }]);
    });
  });

  it('reports that Postgres is unavailable', async () => {
    const pool = createPool({ ...database.app, port: 1 });
    const cutOff = new PostgresPayloadStore({ pool, masterKeys: new MasterKeys(masterKey) });

    await expect(cutOff.put(payload('x'))).rejects.toBeInstanceOf(Unavailable);
    await expect(cutOff.get({ payload_id: newId(), bytes: 1, sha256: '' })).rejects.toBeInstanceOf(Unavailable);
    await pool.end();
  });
});
