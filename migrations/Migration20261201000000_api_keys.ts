import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** API keys (ADR 58). Only their hashes are stored. */
export class Migration20261201000000 extends Migration {
  override up(): void {
    this.addSql(`
      create table identity.api_keys (
        id uuid primary key,
        user_id uuid not null references identity.users (id),
        name text not null,
        prefix text not null,
        hash bytea not null unique,
        scopes text[] not null,
        created_at timestamptz not null,
        expires_at timestamptz,
        last_used_at timestamptz,
        revoked_at timestamptz
      )`);
    this.addSql('create index api_keys_of_user on identity.api_keys (user_id, created_at)');
    this.addSql('create index api_keys_revoked on identity.api_keys (revoked_at) where revoked_at is not null');
    // Hashes, made with the hash of the key: the table alone does not reveal an address.
    this.addSql(`
      create table identity.api_key_addresses (
        key_id uuid not null references identity.api_keys (id) on delete cascade,
        address_hash bytea not null,
        primary key (key_id, address_hash)
      )`);
    this.addSql(grantToApp('select, insert, update, delete', 'identity.api_keys, identity.api_key_addresses'));
  }

  override down(): void {
    this.addSql('drop table identity.api_key_addresses, identity.api_keys');
  }
}
