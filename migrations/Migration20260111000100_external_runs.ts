import { Migration } from '@mikro-orm/migrations';

/** Time limits with fractions of a second; when runs done elsewhere expire. */
export class Migration20260111000100 extends Migration {
  override up(): void {
    this.addSql(`
      alter table read.active_executions
        alter column timeout_seconds type double precision,
        add column requested_at timestamptz,
        add column due_at timestamptz`);
    this.addSql(`
      update read.active_executions run
      set requested_at = request.recorded_at,
        due_at = case when status = 'running' and lease_token is null
          then started_at + timeout_seconds * interval '1 second' end
      from es.events request
      where request.stream_id = run.execution_id and request.version = 1`);
    this.addSql('alter table read.active_executions alter column requested_at set not null');
  }

  override down(): void {
    this.addSql(`
      alter table read.active_executions
        alter column timeout_seconds type integer using ceil(timeout_seconds),
        drop column requested_at,
        drop column due_at`);
  }
}
