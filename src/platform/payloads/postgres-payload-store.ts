import { createHash, hash, type KeyObject } from 'node:crypto';

import type { Pool } from 'pg';

import { Semaphore } from '../async/semaphore.js';
import { detachBuffer } from '../memory/detach-buffer.js';
import { scheduleMinorGc } from '../memory/minor-gc.js';
import { batched } from '../postgres/batched.js';
import { BinaryArray, bytea, type ElementType } from '../postgres/binary-array.js';
import { DataKeys, ownerErased } from './data-keys.js';
import type { MasterKeys } from './master-keys.js';
import { type NewPayload, PayloadRows, PIECE_BYTES, type SealedPayload } from './payload-rows.js';
import { type PayloadKind, type PayloadRef, PayloadStore } from './payload-store.js';
import { OpeningBox, seal, sealedBytesOf, sealInto, unseal } from './sealed-box.js';

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

type SmallPayload = NewPayload & { readonly sealed: Buffer };

interface Sealing {
  readonly key: KeyObject;
  readonly content: Uint8Array;
  readonly context: string;
}

/** Content that is sealed where it is sent from. */
const sealing: ElementType<Sealing> = {
  oid: bytea.oid,
  bytesMax: ({ content }) => sealedBytesOf(content.length),
  write: ({ key, content, context }, target, offset) => {
    const end = offset + sealedBytesOf(content.length);
    sealInto(target.subarray(offset, end), key, content, context);
    return end;
  },
};

/** Payloads in es.payloads, sealed with the key of their owner. */
export class PostgresPayloadStore extends PayloadStore {
  private readonly rows: PayloadRows;
  private readonly keys: DataKeys;
  private readonly writeSlots = new Semaphore(LARGE_AT_A_TIME_MAX);
  /** Separate: heavy reading must not keep a run from ending. */
  private readonly readSlots = new Semaphore(LARGE_AT_A_TIME_MAX);
  private readonly insertSmall = batched(
    (payloads: readonly SmallPayload[]) => this.insertSmallOnes(payloads),
    SMALL_AT_A_TIME_MAX,
  );
  private readonly selectSmall = batched((ids: readonly string[]) => this.rows.select(ids), SMALL_AT_A_TIME_MAX);

  constructor({ pool, masterKeys }: PostgresPayloadStoreOptions) {
    super();
    this.rows = new PayloadRows(pool);
    this.keys = new DataKeys(pool, masterKeys);
  }

  override async put(payload: Payload): Promise<PayloadRef> {
    const { content } = payload;
    if (content.length > PAYLOAD_BYTES_MAX) throw new Error(`the payload is larger than ${PAYLOAD_BYTES_MAX} bytes`);
    if (content.length < LARGE_BYTES_MIN) return this.storeSmall(payload);
    return this.writeSlots.run(() => this.storeLarge(payload));
  }

  override async get(ref: PayloadRef): Promise<Uint8Array | null> {
    const { payload_id: id } = ref;
    if (ref.bytes < LARGE_BYTES_MIN) return this.opened(ref, await this.selectSmall(id));
    return this.readSlots.run(() => this.largeOpened(ref));
  }

  private opened(ref: PayloadRef, row: SealedPayload | null | undefined): Uint8Array | null {
    const { payload_id: id } = ref;
    if (!row?.wrapped_key) return null;
    if (sha256(row.ciphertext) !== ref.sha256) throw changed(id);
    const key = this.keys.unwrap(row.owner_id, row.wrapped_key);
    return unseal(key, row.ciphertext, payloadContext(id, row.owner_id, row.kind));
  }

  /** Never has all of the ciphertext. The key comes with each piece: an erasure takes effect at once. */
  private async largeOpened({ payload_id: id, bytes, sha256: expected }: PayloadRef): Promise<Uint8Array | null> {
    let box: OpeningBox | null = null;
    const found = createHash('sha256');
    for (let at = 0, end = sealedBytesOf(bytes); at < end; at += PIECE_BYTES) {
      const row = await this.rows.selectPiece(id, at);
      if (!row?.wrapped_key) return null;
      const { owner_id, kind, ciphertext, total, wrapped_key } = row;
      if (total !== end) throw changed(id);
      found.update(ciphertext);
      box ??= new OpeningBox(this.keys.unwrap(owner_id, wrapped_key), payloadContext(id, owner_id, kind), bytes);
      box.add(ciphertext);
      detachBuffer(ciphertext);
      scheduleMinorGc(ciphertext.length);
    }
    if (found.digest('hex') !== expected) throw changed(id);
    return box!.opened();
  }

  /**
   * Erases everything of an owner: payloads stay, but nobody can read them any more. May be repeated.
   * @throws Unavailable
   */
  destroyKey(ownerId: string): Promise<void> {
    return this.keys.destroy(ownerId);
  }

  private async storeSmall(payload: Payload): Promise<PayloadRef> {
    const { payloadId, ownerId, kind, content } = payload;
    const key = await this.keys.keyOf(ownerId);
    const sealed = seal(key, content, payloadContext(payloadId, ownerId, kind));
    const ref = { payload_id: payloadId, bytes: content.length, sha256: sha256(sealed) };
    const isFirst = await this.insertSmall({ payloadId, ownerId, kind, sealed, ref });
    scheduleMinorGc(ref.bytes);
    return isFirst ? ref : await this.firstWrite(payload);
  }

  private async storeLarge(payload: Payload): Promise<PayloadRef> {
    const { payloadId, ownerId, kind, content, freesContent } = payload;
    const { length: bytes } = content;
    const key = await this.keys.keyOf(ownerId);
    const context = payloadContext(payloadId, ownerId, kind);
    const boxes = new BinaryArray(sealing, [{ key, content, context }]).toPostgres();
    // Before pg makes its copy.
    if (freesContent) detachBuffer(content);
    const ref = { payload_id: payloadId, bytes, sha256: sha256(boxes.subarray(-sealedBytesOf(bytes))) };
    const [isFirst] = await this.rows.insert([{ payloadId, ownerId, kind, ref }], boxes);
    scheduleMinorGc(bytes);
    return isFirst ? ref : await this.firstWrite(payload);
  }

  private insertSmallOnes(payloads: readonly SmallPayload[]): Promise<boolean[]> {
    const boxes = BinaryArray.of(bytea, payloads, ({ sealed }) => sealed).toPostgres();
    for (const { sealed } of payloads) detachBuffer(sealed);
    return this.rows.insert(payloads, boxes);
  }

  private async firstWrite({ payloadId, ownerId, kind }: Payload): Promise<PayloadRef> {
    const stored = await this.rows.firstWrite(payloadId);
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

const changed = (payloadId: string): Error => new Error(`payload ${payloadId} does not match its event`);

const sha256 = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex');
