import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

const DESTROY_SIGNATURE = 'es.destroy_payloads(uuid[])';

/** Payloads that are no longer kept, and what is needed to find them (docs/adr/0040-storage.md). */
export class Migration20261129000000 extends Migration {
  override up(): void {
    this.addSql('create index payloads_of_owner on es.payloads (owner_id) include (bytes)');
    // Scripts are kept for as long as their task: they have no age.
    this.addSql(`create index payloads_by_age on es.payloads (created_at) where kind <> 'script'`);
    this.addSql(`
      create table es.destroyed_payloads (
        payload_id uuid primary key,
        owner_id uuid not null,
        kind text not null,
        bytes int not null,
        sha256 text not null,
        destroyed_at timestamptz not null default now()
      )`);
    this.addSql(`comment on table es.destroyed_payloads is 'what events name and nobody can read any more: not lost'`);
    this.addSql(`
      create trigger write_once before update or delete or truncate on es.destroyed_payloads
      for each statement execute function es.refuse()`);
    this.addSql('alter table es.destroyed_payloads enable always trigger write_once');
    this.addSql(grantToApp('select', 'es.destroyed_payloads'));
    // The service has no DELETE: what it destroys leaves its hash behind.
    this.addSql(`
      create function ${DESTROY_SIGNATURE} returns table (bytes int)
      language sql security definer set search_path = pg_catalog, pg_temp as $$
        with gone as (
          delete from es.payloads where payload_id = any($1) returning payload_id, owner_id, kind, bytes, sha256
        )
        insert into es.destroyed_payloads (payload_id, owner_id, kind, bytes, sha256)
        select payload_id, owner_id, kind, bytes, sha256 from gone
        on conflict (payload_id) do nothing
        returning bytes
      $$`);
    this.addSql(`revoke all on function ${DESTROY_SIGNATURE} from public`);
    this.addSql(grantToApp('execute', `function ${DESTROY_SIGNATURE}`));
    this.addSql(`
      create table es.retention (
        only_row boolean primary key default true check (only_row),
        position bigint not null default 0
      )`);
    this.addSql(`comment on column es.retention.position is 'up to which scripts of deleted tasks are destroyed'`);
    this.addSql('insert into es.retention default values');
    this.addSql(grantToApp('select, update (position)', 'es.retention'));
  }

  override down(): void {
    this.addSql('drop table es.retention');
    this.addSql(`drop function ${DESTROY_SIGNATURE}`);
    this.addSql('drop table es.destroyed_payloads');
    this.addSql('drop index es.payloads_by_age');
    this.addSql('drop index es.payloads_of_owner');
  }
}
