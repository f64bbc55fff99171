import { randomBytes } from 'node:crypto';

import type { Pool } from 'pg';

import { DomainError } from '../../kernel/errors.js';
import { reportingOutages } from '../postgres/outage.js';
import { KEY_BYTES, seal, unseal } from './sealed-box.js';

/** Keys kept in memory, for how long, and how many: a put then costs one query, not two. */
const CACHED_KEY_MS = 30_000;
const CACHED_KEYS_MAX = 1_000;

/** In lower case, as Postgres gives ids back. */
const keyContext = (ownerId: string): string => `voidrunner data key of ${ownerId.toLowerCase()}`;

/** Each owner's data key, wrapped by the master key. Destroying one erases everything that was sealed with it. */
export class DataKeys {
  private readonly cache = new Map<string, { key: Buffer; untilMs: number }>();

  constructor(
    private readonly pool: Pool,
    private readonly masterKey: Uint8Array,
  ) {
    if (masterKey.length !== KEY_BYTES) throw new Error(`the master key must have ${KEY_BYTES} bytes`);
  }

  /**
   * The owner's key, made now where there is none. May come from memory after another process has destroyed it.
   * @throws DomainError `owner_erased`
   * @throws Unavailable
   */
  async keyOf(ownerId: string): Promise<Buffer> {
    const cached = this.cache.get(ownerId);
    if (cached && performance.now() < cached.untilMs) return cached.key;
    const wrapped = (await this.load(ownerId)) ?? (await this.create(ownerId));
    if (wrapped === 'destroyed') throw ownerErased();
    const key = this.unwrap(ownerId, wrapped);
    this.remember(ownerId, key);
    return key;
  }

  unwrap(ownerId: string, wrapped: Uint8Array): Buffer {
    return unseal(this.masterKey, wrapped, keyContext(ownerId));
  }

  /** For ever; an owner without a key gets none later. May be repeated. @throws Unavailable */
  async destroy(ownerId: string): Promise<void> {
    await reportingOutages(() =>
      this.pool.query(
        `insert into es.data_keys (owner_id, wrapped_key, destroyed_at) values ($1, null, now())
         on conflict (owner_id) do update set wrapped_key = null, destroyed_at = now()
         where data_keys.destroyed_at is null`,
        [ownerId],
      ),
    );
    this.forget(ownerId);
  }

  private async load(ownerId: string): Promise<Buffer | 'destroyed' | null> {
    const { rows } = await reportingOutages(() =>
      this.pool.query<{ wrapped_key: Buffer | null }>('select wrapped_key from es.data_keys where owner_id = $1', [
        ownerId,
      ]),
    );
    if (!rows[0]) return null;
    return rows[0].wrapped_key ?? 'destroyed';
  }

  /** Whoever comes first makes it; everybody takes what is there then. */
  private async create(ownerId: string): Promise<Buffer | 'destroyed'> {
    const wrapped = seal(this.masterKey, randomBytes(KEY_BYTES), keyContext(ownerId));
    await reportingOutages(() =>
      this.pool.query(
        'insert into es.data_keys (owner_id, wrapped_key) values ($1, $2) on conflict (owner_id) do nothing',
        [ownerId, wrapped],
      ),
    );
    const stored = await this.load(ownerId);
    if (!stored) throw new Error('a data key vanished');
    return stored;
  }

  private remember(ownerId: string, key: Buffer): void {
    this.forget(ownerId);
    const oldest = this.cache.keys().next();
    if (this.cache.size >= CACHED_KEYS_MAX && !oldest.done) this.forget(oldest.value);
    this.cache.set(ownerId, { key, untilMs: performance.now() + CACHED_KEY_MS });
  }

  /** Not overwritten with zeros: a put may be using it. */
  private forget(ownerId: string): void {
    this.cache.delete(ownerId);
  }
}

export const ownerErased = (): DomainError =>
  new DomainError('owner_erased', 'the data of this owner has been erased', 'conflict');
