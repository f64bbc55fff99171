import { hash } from 'node:crypto';

import type { Pool } from 'pg';

import { Semaphore } from '../async/semaphore.js';
import { detachBuffer } from '../memory/detach-buffer.js';
import { scheduleMinorGc } from '../memory/minor-gc.js';
import { batched, inOrderOf } from '../postgres/batched.js';
import { BinaryArray, bytea, int4, text, uuid } from '../postgres/binary-array.js';
import { reportingOutages } from '../postgres/outage.js';
import { DataKeys, ownerErased } from './data-keys.js';
import type { MasterKeys } from './master-keys.js';
import { type PayloadKind, type PayloadRef, PayloadStore } from './payload-store.js';
import { seal, unseal } from './sealed-box.js';

export interface PostgresPayloadStoreOptions {
  readonly pool: Pool;
  /** 32 bytes. Lose it and every payload is lost. */
  readonly masterKeys: MasterKeys;
}

/** Bytes of one payload: the largest output that settings allow for a run. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 ** 2;

/** A payload of this size waits for a slot: on its way to Postgres there are two copies of it. */
const LARGE_BYTES_MIN = 64 * 1024;
/** Smaller payloads share one statement with concurrent ones. */
const SMALL_AT_A_TIME_MAX = 32;
/** Without slots, sixteen runs that ended at once, each with 1 MiB of stdout and of stderr, took 30 MiB more. */
const LARGE_AT_A_TIME_MAX = 3;

type Payload = Parameters<PayloadStore['put']>[0];

interface StoredPayload {
  readonly owner_id: string;
  readonly kind: PayloadKind;
  readonly bytes: number;
  readonly sha256: string;
}

interface SealedPayload {
  readonly payload_id: string;
  readonly owner_id: string;
  readonly kind: PayloadKind;
  readonly ciphertext: Buffer;
  readonly wrapped_key: Buffer | null;
}

/** Ready to be stored. */
type NewPayload = Payload & { readonly sealed: Buffer; readonly ref: PayloadRef };

/**
 * Guarded by the row of the key: a process that still has the key in memory cannot write for an owner who was erased.
 * A destroyed payload does not return under its id: its events have the hash of the first content. In the order of
 * ids: two processes that put the same payloads would otherwise wait for each other.
 */
const INSERT_TEXT = `
  insert into es.payloads (payload_id, owner_id, kind, ciphertext, bytes, sha256)
  select payload_id, owner_id, kind, ciphertext, bytes, sha256
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::int[], $6::text[])
    with ordinality as given (payload_id, owner_id, kind, ciphertext, bytes, sha256, no)
  where exists (select from es.data_keys k where k.owner_id = given.owner_id and destroyed_at is null)
    and not exists (select from es.destroyed_payloads d where d.payload_id = given.payload_id)
  order by payload_id, no
  on conflict (payload_id) do nothing
  returning payload_id`;

const SELECT_REF = `
  select owner_id, kind, bytes, sha256 from es.payloads where payload_id = $1
  union all
  select owner_id, kind, bytes, sha256 from es.destroyed_payloads where payload_id = $1`;

/** The key comes with the ciphertext, never from memory: an erasure takes effect at once, in every process. */
const SELECT_TEXT = `
  select p.payload_id, p.owner_id, p.kind, p.ciphertext, k.wrapped_key
  from es.payloads p left join es.data_keys k on k.owner_id = p.owner_id
  where p.payload_id = any($1::uuid[])`;

/** Named: Postgres parses and plans them once per connection. */
const INSERT = { name: 'payloads_put', text: INSERT_TEXT };
const SELECT = { name: 'payloads_get', text: SELECT_TEXT };

/** Payloads in es.payloads, sealed with the key of their owner. */
export class PostgresPayloadStore extends PayloadStore {
  private readonly pool: Pool;
  private readonly keys: DataKeys;
  private readonly writeSlots = new Semaphore(LARGE_AT_A_TIME_MAX);
  /** Separate: heavy reading must not keep a run from ending. */
  private readonly readSlots = new Semaphore(LARGE_AT_A_TIME_MAX);
  private readonly insertSmall = batched(
    (payloads: readonly NewPayload[]) => this.insert(payloads),
    SMALL_AT_A_TIME_MAX,
  );
  private readonly selectSmall = batched((ids: readonly string[]) => this.select(ids), SMALL_AT_A_TIME_MAX);

  constructor({ pool, masterKeys }: PostgresPayloadStoreOptions) {
    super();
    this.pool = pool;
    this.keys = new DataKeys(pool, masterKeys);
  }

  override async put(payload: Payload): Promise<PayloadRef> {
    const { content } = payload;
    if (content.length > PAYLOAD_BYTES_MAX) throw new Error(`the payload is larger than ${PAYLOAD_BYTES_MAX} bytes`);
    if (content.length < LARGE_BYTES_MIN) return this.store(payload, this.insertSmall);
    return this.writeSlots.run(() => this.store(payload, async (large) => (await this.insert([large]))[0]!));
  }

  override async get(ref: PayloadRef): Promise<Uint8Array | null> {
    const { payload_id: id } = ref;
    if (ref.bytes < LARGE_BYTES_MIN) return this.opened(ref, await this.selectSmall(id));
    return this.readSlots.run(async () => this.opened(ref, (await this.select([id]))[0]));
  }

  private opened(ref: PayloadRef, row: SealedPayload | null | undefined): Uint8Array | null {
    const { payload_id: id } = ref;
    if (!row?.wrapped_key) return null;
    if (sha256(row.ciphertext) !== ref.sha256) throw new Error(`payload ${id} does not match its event`);
    const key = this.keys.unwrap(row.owner_id, row.wrapped_key);
    return unseal(key, row.ciphertext, payloadContext(id, row.owner_id, row.kind));
  }

  /**
   * Erases everything of an owner: payloads stay, but nobody can read them any more. May be repeated.
   * @throws Unavailable
   */
  destroyKey(ownerId: string): Promise<void> {
    return this.keys.destroy(ownerId);
  }

  /** @param insert returns whether the payload was not there before */
  private async store(payload: Payload, insert: (sealed: NewPayload) => Promise<boolean>): Promise<PayloadRef> {
    const { payloadId, ownerId, kind, content } = payload;
    const key = await this.keys.keyOf(ownerId);
    const sealed = seal(key, content, payloadContext(payloadId, ownerId, kind));
    const ref = { payload_id: payloadId, bytes: content.length, sha256: sha256(sealed) };
    const isFirst = await insert({ ...payload, sealed, ref });
    scheduleMinorGc(ref.bytes);
    return isFirst ? ref : await this.firstWrite(payload);
  }

  private async insert(payloads: readonly NewPayload[]): Promise<boolean[]> {
    const boxes = BinaryArray.of(bytea, payloads, ({ sealed }) => sealed).toPostgres();
    for (const { sealed } of payloads) detachBuffer(sealed);
    const values = [
      BinaryArray.of(uuid, payloads, ({ payloadId }) => payloadId),
      BinaryArray.of(uuid, payloads, ({ ownerId }) => ownerId),
      BinaryArray.of(text, payloads, ({ kind }) => kind),
      boxes,
      BinaryArray.of(int4, payloads, ({ ref }) => ref.bytes),
      BinaryArray.of(text, payloads, ({ ref }) => ref.sha256),
    ];
    const { rows } = await reportingOutages(() => this.pool.query<{ payload_id: string }>({ ...INSERT, values }));
    // Not after a failure: they may still be in transit then.
    detachBuffer(boxes);
    const inserted = new Set(rows.map(({ payload_id }) => payload_id));
    // If an id occurs twice in a statement, the first payload was stored.
    return payloads.map(({ payloadId }) => inserted.delete(payloadId.toLowerCase()));
  }

  private async select(ids: readonly string[]): Promise<(SealedPayload | null)[]> {
    const values = [new BinaryArray(uuid, ids)];
    const { rows } = await reportingOutages(() => this.pool.query<SealedPayload>({ ...SELECT, values }));
    return inOrderOf(ids, rows, ({ payload_id }) => payload_id);
  }

  private async firstWrite({ payloadId, ownerId, kind }: Payload): Promise<PayloadRef> {
    const { rows } = await reportingOutages(() => this.pool.query<StoredPayload>(SELECT_REF, [payloadId]));
    const stored = rows[0];
    if (!stored) throw ownerErased();
    if (stored.owner_id !== ownerId.toLowerCase() || stored.kind !== kind) {
      throw new Error(`payload id ${payloadId} is taken by another owner or kind`);
    }
    return { payload_id: payloadId, bytes: stored.bytes, sha256: stored.sha256 };
  }
}

/** In lower case, as Postgres returns ids. */
const payloadContext = (payloadId: string, ownerId: string, kind: PayloadKind): string =>
  `voidrunner payload ${payloadId.toLowerCase()} of ${ownerId.toLowerCase()}, ${kind}`;

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
