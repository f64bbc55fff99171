import { Migration } from '@mikro-orm/migrations';

const SUITE_OF_SIGNATURE = 'es.suite_of(jsonb)';

/** Tests of tasks and executions (docs/adr/0054-test-suites.md). The tests of a task are kept as long as its scripts. */
export class Migration20261130000200 extends Migration {
  override up(): void {
    this.addSql(`
      alter table read.executions
        add column test_count integer not null default 0,
        add column verdict text,
        add column score double precision,
        add column points double precision,
        add column test_results jsonb`);
    this.addSql(`update read.tasks set definition = definition || '{"suite": null}'`);
    this.addSql(`
      create function ${SUITE_OF_SIGNATURE} returns text language sql immutable parallel safe as $$
        select coalesce($1 #>> '{definition,suite,payload,payload_id}', $1 #>> '{changes,suite,payload,payload_id}')
      $$`);
    this.addSql(
      `comment on function ${SUITE_OF_SIGNATURE} is 'payload id of the tests that TaskCreated or TaskUpdated sets'`,
    );
    this.addSql(`
      create index events_by_suite on es.events (es.suite_of(data))
      where type in ('TaskCreated', 'TaskUpdated') and es.suite_of(data) is not null`);
    this.addSql('drop index es.scripts_by_age');
    this.addSql(`create index scripts_by_age on es.payloads (created_at) where kind in ('script', 'suite')`);
    this.addSql('drop index es.payloads_by_age');
    this.addSql(`create index payloads_by_age on es.payloads (created_at) where kind not in ('script', 'suite')`);
  }

  override down(): void {
    this.addSql('drop index es.payloads_by_age');
    this.addSql(`create index payloads_by_age on es.payloads (created_at) where kind <> 'script'`);
    this.addSql('drop index es.scripts_by_age');
    this.addSql(`create index scripts_by_age on es.payloads (created_at) where kind = 'script'`);
    this.addSql('drop index es.events_by_suite');
    this.addSql(`drop function ${SUITE_OF_SIGNATURE}`);
    this.addSql(`
      alter table read.executions
        drop column test_count, drop column verdict, drop column score, drop column points, drop column test_results`);
  }
}
