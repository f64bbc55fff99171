import { Migration } from '@mikro-orm/migrations';

/** Files that a run left, those that were not kept, and how its program was compiled (docs/sandbox.md). */
export class Migration20261130000100 extends Migration {
  override up(): void {
    this.addSql(`
      alter table read.executions
        add column files jsonb not null default '[]',
        add column files_skipped jsonb not null default '[]',
        add column compile jsonb,
        add column rerun_of uuid`);
  }

  override down(): void {
    this.addSql(
      'alter table read.executions drop column files, drop column files_skipped, drop column compile, drop column rerun_of',
    );
  }
}
