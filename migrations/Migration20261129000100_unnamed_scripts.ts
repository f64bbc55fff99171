import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

const SCRIPT_OF_SIGNATURE = 'es.script_of(jsonb)';

/** Finds scripts that no event names: stored ahead of a change that was refused (docs/adr/0040-storage.md). */
export class Migration20261129000100 extends Migration {
  override up(): void {
    this.addSql(`
      create function ${SCRIPT_OF_SIGNATURE} returns text language sql immutable parallel safe as $$
        select coalesce($1 #>> '{definition,script,payload_id}', $1 #>> '{changes,script,payload_id}')
      $$`);
    this.addSql(
      `comment on function ${SCRIPT_OF_SIGNATURE} is 'payload id of the script that TaskCreated or TaskUpdated sets'`,
    );
    this.addSql(`
      create index events_by_script on es.events (es.script_of(data))
      where type in ('TaskCreated', 'TaskUpdated')`);
    this.addSql(`create index scripts_by_age on es.payloads (created_at) where kind = 'script'`);
    this.addSql(`alter table es.retention add column scripts_until timestamptz not null default '-infinity'`);
    this.addSql(`comment on column es.retention.scripts_until is 'scripts stored by then were looked for in the log'`);
    this.addSql(grantToApp('update (scripts_until)', 'es.retention'));
  }

  override down(): void {
    this.addSql('alter table es.retention drop column scripts_until');
    this.addSql('drop index es.scripts_by_age');
    this.addSql('drop index es.events_by_script');
    this.addSql(`drop function ${SCRIPT_OF_SIGNATURE}`);
  }
}
