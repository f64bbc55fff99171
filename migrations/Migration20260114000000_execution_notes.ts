import { Migration } from '@mikro-orm/migrations';

/** Limits that a run reached (docs/sandbox.md). */
export class Migration20260114000000 extends Migration {
  override up(): void {
    this.addSql(`alter table read.executions add column notes jsonb not null default '[]'`);
  }

  override down(): void {
    this.addSql('alter table read.executions drop column notes');
  }
}
