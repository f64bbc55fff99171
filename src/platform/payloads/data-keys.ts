import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';

import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';

import { DomainError } from '../../kernel/errors.js';
import { reportingOutages } from '../postgres/outage.js';
import type { MasterKeys } from './master-keys.js';
import { KEY_BYTES } from './sealed-box.js';

/** Limits of keys in memory. With them a put costs one query, not two, and a get unwraps nothing. */
const CACHED = { ttl: 30_000, max: 1_000 };

/** In lower case, as Postgres returns ids. */
export const keyContext = (ownerId: string): string => `voidrunner data key of ${ownerId.toLowerCase()}`;

/** The data key of each owner, wrapped by a master key. Destroying a key erases everything that was sealed with it. */
export class DataKeys {
  /** By owner. */
  private readonly known = new LRUCache<string, KeyObject>(CACHED);
  /** By wrapped key, which Postgres must return each time: a destroyed key is never found here. */
  private readonly unwrapped = new LRUCache<string, KeyObject>(CACHED);

  constructor(
    private readonly pool: Pool,
    private readonly masterKeys: MasterKeys,
  ) {}

  /**
   * The key of the owner, created if there is none. May come from memory after another process has destroyed it.
   * @throws DomainError `owner_erased`
   * @throws Unavailable
   */
  async keyOf(ownerId: string): Promise<KeyObject> {
    const known = this.known.get(ownerId);
    if (known) return known;
    const wrapped = (await this.load(ownerId)) ?? (await this.create(ownerId));
    if (wrapped === 'destroyed') throw ownerErased();
    const key = this.unwrap(ownerId, wrapped);
    this.known.set(ownerId, key);
    return key;
  }

  /** @throws Error if it was wrapped for another owner */
  unwrap(ownerId: string, wrapped: Buffer): KeyObject {
    const name = `${ownerId} ${wrapped.toString('base64')}`;
    const known = this.unwrapped.get(name);
    if (known) return known;
    const key = createSecretKey(this.masterKeys.unwrap(wrapped, keyContext(ownerId)));
    this.unwrapped.set(name, key);
    return key;
  }

  /** Permanent; an owner without a key gets none later. May be repeated. @throws Unavailable */
  async destroy(ownerId: string): Promise<void> {
    await reportingOutages(() =>
      this.pool.query(
        `insert into es.data_keys (owner_id, wrapped_key, destroyed_at) values ($1, null, now())
         on conflict (owner_id) do update set wrapped_key = null, destroyed_at = now()
         where data_keys.destroyed_at is null`,
        [ownerId],
      ),
    );
    this.known.delete(ownerId);
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

  /** The first caller creates it; all callers use the stored one. */
  private async create(ownerId: string): Promise<Buffer | 'destroyed'> {
    const wrapped = this.masterKeys.wrap(randomBytes(KEY_BYTES), keyContext(ownerId));
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
}

export const ownerErased = (): DomainError =>
  new DomainError('owner_erased', 'the data of this owner has been erased', 'conflict');
