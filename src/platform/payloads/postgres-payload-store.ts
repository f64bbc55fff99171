import { createHash } from 'node:crypto';

import type { Pool } from 'pg';

import { type PayloadKind, type PayloadRef, PayloadStore } from '../../kernel/ports/payload-store.js';
import { giveBack } from '../../kernel/give-back.js';
import { AtMost } from '../../kernel/at-most.js';
import { leftBehind } from '../memory/leftovers.js';
import { reportingOutages } from '../postgres/outage.js';
import { DataKeys, ownerErased } from './data-keys.js';
import { seal, unseal } from './sealed-box.js';

export interface PostgresPayloadStoreOptions {
  readonly pool: Pool;
  /** 32 bytes. Lose it and every payload is lost. */
  readonly masterKey: Uint8Array;
}

/** Bytes of one payload: the most output that settings let a run keep. */
export const PAYLOAD_BYTES_MAX = 64 * 1024 ** 2;

/** One that is larger takes turns with the others: on its way to Postgres there are two copies of it. */
const LARGE_BYTES_MIN = 64 * 1024;
/** Sixteen runs that ended at once, each with 1 MiB of stdout and of stderr, took 30 MiB more without turns. */
const LARGE_AT_A_TIME_MAX = 3;

type Payload = Parameters<PayloadStore['put']>[0];

interface StoredPayload {
  readonly owner_id: string;
  readonly kind: PayloadKind;
  readonly bytes: number;
  readonly sha256: string;
}

interface SealedPayload {
  readonly owner_id: string;
  readonly kind: PayloadKind;
  readonly ciphertext: Buffer;
  readonly wrapped_key: Buffer | null;
}

/** Guarded by the key's row: a process that still has the key in memory cannot write for an owner who was erased. */
const INSERT_TEXT = `
  insert into es.payloads (payload_id, owner_id, kind, ciphertext, bytes, sha256)
  select $1, $2, $3, $4, $5, $6
  where exists (select from es.data_keys where owner_id = $2 and destroyed_at is null)
  on conflict (payload_id) do nothing
  returning payload_id`;

const SELECT_REF = 'select owner_id, kind, bytes, sha256 from es.payloads where payload_id = $1';

/** The key comes with the ciphertext, never from memory: what has been erased is erased at once, in every process. */
const SELECT_TEXT = `
  select p.owner_id, p.kind, p.ciphertext, k.wrapped_key
  from es.payloads p left join es.data_keys k on k.owner_id = p.owner_id
  where p.payload_id = $1`;

/** By name: Postgres parses and plans them once a connection. */
const INSERT = { name: 'payload_put', text: INSERT_TEXT };
const SELECT = { name: 'payload_get', text: SELECT_TEXT };

/** Payloads in es.payloads, sealed with their owner's key. */
export class PostgresPayloadStore extends PayloadStore {
  private readonly pool: Pool;
  private readonly keys: DataKeys;
  private readonly turns = new AtMost(LARGE_AT_A_TIME_MAX);

  constructor({ pool, masterKey }: PostgresPayloadStoreOptions) {
    super();
    this.pool = pool;
    this.keys = new DataKeys(pool, masterKey);
  }

  override put(payload: Payload): Promise<PayloadRef> {
    const store = () => this.store(payload);
    return payload.content.length < LARGE_BYTES_MIN ? store() : this.turns.run(store);
  }

  private async store(payload: Payload): Promise<PayloadRef> {
    const { payloadId, ownerId, kind, content } = payload;
    if (content.length > PAYLOAD_BYTES_MAX) throw new Error(`a payload of more than ${PAYLOAD_BYTES_MAX} bytes`);
    const key = await this.keys.keyOf(ownerId);
    const sealed = seal(key, content, payloadContext(payloadId, ownerId, kind));
    const ref = { payload_id: payloadId, bytes: content.length, sha256: sha256(sealed) };
    const { rows } = await reportingOutages(() =>
      this.pool.query({ ...INSERT, values: [payloadId, ownerId, kind, sealed, ref.bytes, ref.sha256] }),
    );
    // Where it failed it may still be on its way.
    giveBack(sealed);
    leftBehind(ref.bytes);
    return rows.length === 1 ? ref : await this.firstWrite(payload);
  }

  override async get(ref: PayloadRef): Promise<Uint8Array | null> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<SealedPayload>({ ...SELECT, values: [ref.payload_id] }),
    );
    const row = rows[0];
    if (!row?.wrapped_key) return null;
    if (sha256(row.ciphertext) !== ref.sha256) throw new Error(`payload ${ref.payload_id} is not what its event says`);
    const key = this.keys.unwrap(row.owner_id, row.wrapped_key);
    return unseal(key, row.ciphertext, payloadContext(ref.payload_id, row.owner_id, row.kind));
  }

  /**
   * Erases everything of an owner: payloads stay, and nobody can read them any more. May be repeated.
   * @throws Unavailable
   */
  destroyKey(ownerId: string): Promise<void> {
    return this.keys.destroy(ownerId);
  }

  private async firstWrite({ payloadId, ownerId, kind }: Payload): Promise<PayloadRef> {
    const { rows } = await reportingOutages(() => this.pool.query<StoredPayload>(SELECT_REF, [payloadId]));
    const stored = rows[0];
    if (!stored) throw ownerErased();
    if (stored.owner_id !== ownerId.toLowerCase() || stored.kind !== kind) {
      throw new Error(`payload id ${payloadId} is taken, by another owner or kind`);
    }
    return { payload_id: payloadId, bytes: stored.bytes, sha256: stored.sha256 };
  }
}

/** In lower case, as Postgres gives ids back. */
const payloadContext = (payloadId: string, ownerId: string, kind: PayloadKind): string =>
  `voidrunner payload ${payloadId.toLowerCase()} of ${ownerId.toLowerCase()}, ${kind}`;

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
