import type { Pool } from 'pg';

import { detachBuffer } from '../memory/detach-buffer.js';
import { inOrderOf } from '../postgres/batched.js';
import { BinaryArray, int4, text, uuid } from '../postgres/binary-array.js';
import { reportingOutages } from '../postgres/outage.js';
import type { PayloadKind, PayloadRef } from './payload-store.js';

/** Read at a time. It arrives as hexadecimal text, in a buffer that doubles: reading 16 MiB at once took 130. */
export const PIECE_BYTES = 1024 ** 2;

export interface StoredPayload {
  readonly owner_id: string;
  readonly kind: PayloadKind;
  readonly bytes: number;
  readonly sha256: string;
}

export interface SealedPayload {
  readonly payload_id: string;
  readonly owner_id: string;
  readonly kind: PayloadKind;
  readonly ciphertext: Buffer;
  readonly wrapped_key: Buffer | null;
}

/** With a part of the ciphertext. */
export interface SealedPiece extends SealedPayload {
  /** Bytes of the whole. */
  readonly total: number;
}

/** What is stored beside the sealed content. */
export interface NewPayload {
  readonly payloadId: string;
  readonly ownerId: string;
  readonly kind: PayloadKind;
  readonly ref: PayloadRef;
}

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

const SELECT_PIECE_TEXT = `
  select p.payload_id, p.owner_id, p.kind, octet_length(p.ciphertext) as total, k.wrapped_key,
    substring(p.ciphertext from $2 for $3) as ciphertext
  from es.payloads p left join es.data_keys k on k.owner_id = p.owner_id
  where p.payload_id = $1`;

/** Named: Postgres parses and plans them once per connection. */
const INSERT = { name: 'payloads_put', text: INSERT_TEXT };
const SELECT = { name: 'payloads_get', text: SELECT_TEXT };
const SELECT_PIECE = { name: 'payloads_get_piece', text: SELECT_PIECE_TEXT };

/** The rows of es.payloads. Every method may throw Unavailable. */
export class PayloadRows {
  constructor(private readonly pool: Pool) {}

  /** @param boxes their sealed content, an array. @returns for each whether it was not there before */
  async insert(payloads: readonly NewPayload[], boxes: Buffer): Promise<boolean[]> {
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

  async select(ids: readonly string[]): Promise<(SealedPayload | null)[]> {
    const values = [new BinaryArray(uuid, ids)];
    const { rows } = await reportingOutages(() => this.pool.query<SealedPayload>({ ...SELECT, values }));
    return inOrderOf(ids, rows, ({ payload_id }) => payload_id);
  }

  /** @param at the first byte of the piece */
  async selectPiece(id: string, at: number): Promise<SealedPiece | undefined> {
    const values = [id, at + 1, PIECE_BYTES];
    const { rows } = await reportingOutages(() => this.pool.query<SealedPiece>({ ...SELECT_PIECE, values }));
    return rows[0];
  }

  /** What the first write of an id has left, even if it has been destroyed since. @returns null if there was none */
  async firstWrite(id: string): Promise<StoredPayload | null> {
    const { rows } = await reportingOutages(() => this.pool.query<StoredPayload>(SELECT_REF, [id]));
    return rows[0] ?? null;
  }
}
