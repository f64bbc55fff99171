import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** Erasures of accounts: recorded with the account's rows, completed by a sweep (docs/adr/0067-erasure.md). */
export class Migration20261201000320 extends Migration {
  override up(): void {
    this.addSql(`
      create table identity.erasures (
        user_id uuid primary key references identity.users on delete cascade,
        requested_at timestamptz(3) not null default now(),
        completed_at timestamptz(3)
      )`);
    this.addSql('create index erasures_unfinished on identity.erasures (requested_at) where completed_at is null');
    this.addSql(grantToApp('select, insert, update', 'identity.erasures'));
    // Before this migration, an erasure left webhooks and the names of API keys.
    this.addSql(`
      insert into identity.erasures (user_id) select id from identity.users where email_key = 'erased-' || id`);
    this.addSql(`
      update identity.api_keys set name = '' where user_id in (select user_id from identity.erasures)`);
  }

  override down(): void {
    this.addSql('drop table identity.erasures');
  }
}
