import { ApiKeyCreated, ApiKeyRevoked, ApiKeyUsedFromNewAddress } from '../domain/user-events.js';
import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { ownerErased } from '../../platform/payloads/data-keys.js';
import { ApiKey } from './entities.js';
import { type IdentityDatabase, lockUser, NOW, recordFacts } from './identity-database.js';
import type { Revoked } from './identity-store.js';

/** Of one key. Further addresses are not remembered. */
const ADDRESSES_MAX = 1_000;

/** API keys in Postgres, with their facts. Throws Unavailable. */
export class KeyStore {
  constructor(private readonly database: IdentityDatabase) {}

  /**
   * @param max of the owner's keys that are not revoked
   * @returns false if there are as many
   * @throws DomainError `owner_erased`, for a request that was under way when the account was erased
   */
  insert(key: ApiKey, max: number, metadata: EventMetadata): Promise<boolean> {
    return this.database.inTransaction(async (em) => {
      if (!(await lockUser(em, key.userId))) throw ownerErased();
      if ((await em.count(ApiKey, { userId: key.userId, revokedAt: null })) >= max) return false;
      await em.insert(ApiKey, key);
      const { id: key_id, userId: user_id, scopes, expiresAt } = key;
      const event = ApiKeyCreated({ user_id, key_id, scopes, expires_at: expiresAt?.toISOString() ?? null });
      await recordFacts(em, user_id, [{ event, metadata }]);
      return true;
    });
  }

  findByHash(hash: Buffer): Promise<ApiKey | null> {
    return this.database.run((em) => em.findOne(ApiKey, { hash, revokedAt: null }));
  }

  find(id: string): Promise<ApiKey | null> {
    return this.database.run((em) => em.findOne(ApiKey, { id, revokedAt: null }));
  }

  /** Those that are not revoked, newest first. */
  listOf(userId: string, limit: number): Promise<ApiKey[]> {
    const orderBy = { createdAt: 'desc', id: 'desc' } as const;
    return this.database.run((em) => em.find(ApiKey, { userId, revokedAt: null }, { orderBy, limit }));
  }

  /** @returns whether this call revoked it */
  revoke({ id, userId }: Pick<ApiKey, 'id' | 'userId'>, metadata: EventMetadata): Promise<boolean> {
    return this.database.inTransaction(async (em) => {
      const revoked = await em.nativeUpdate(ApiKey, { id, revokedAt: null }, { revokedAt: NOW });
      const event = ApiKeyRevoked({ user_id: userId, key_id: id });
      if (revoked === 1) await recordFacts(em, userId, [{ event, metadata }]);
      return revoked === 1;
    });
  }

  /** Keys revoked after a time of Postgres' clock, oldest first. */
  findRevokedSince(since: Date): Promise<Revoked[]> {
    return this.database.run((em) =>
      em.execute<Revoked[]>(
        `select id, revoked_at as "revokedAt" from identity.api_keys where revoked_at > ? order by revoked_at`,
        [since],
      ),
    );
  }

  /** Does nothing if another process has written it within that time. */
  async touch(id: string, intervalMs: number): Promise<void> {
    await this.database.run((em) =>
      em.execute(
        `update identity.api_keys set last_used_at = now()
         where id = ? and coalesce(last_used_at < now() - ? * interval '1 millisecond', true)`,
        [id, intervalMs],
      ),
    );
  }

  /** @returns whether the key was used from this address for the first time */
  addAddress(
    { id, userId }: Pick<ApiKey, 'id' | 'userId'>,
    addressHash: Buffer,
    metadata: EventMetadata,
  ): Promise<boolean> {
    return this.database.inTransaction(async (em) => {
      const inserted = await em.execute<{ key_id: string }[]>(
        `insert into identity.api_key_addresses (key_id, address_hash)
         select k.id, ? from identity.api_keys k
         where k.id = ? and k.revoked_at is null and (select count(*) from identity.api_key_addresses a where a.key_id = k.id) < ?
         on conflict do nothing returning key_id`,
        [addressHash, id, ADDRESSES_MAX],
      );
      if (inserted.length === 0) return false;
      const event = ApiKeyUsedFromNewAddress({ user_id: userId, key_id: id });
      await recordFacts(em, userId, [{ event, metadata }]);
      return true;
    });
  }
}
