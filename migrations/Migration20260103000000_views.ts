import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** What the API reads, and what the orchestrator remembers. All of it is derived from the log. */
export class Migration20260103000000 extends Migration {
  override up(): void {
    this.createTasks();
    this.createExecutions();
    this.createActiveExecutions();
  }

  override down(): void {
    this.addSql('drop table read.active_executions, read.executions, read.tasks');
  }

  private createTasks(): void {
    this.addSql(`
      create table read.tasks (
        id uuid primary key,
        owner_id uuid not null,
        name text not null,
        script_type text not null,
        priority smallint not null,
        status text not null,
        definition jsonb not null,
        definition_version integer not null,
        active_runs integer not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        version integer not null
      )`);
    // One index per sort field: keyset pagination reads them in order, forwards or backwards (ADR 20). What a list may be
    // filtered by stands behind, so that the rows left out are passed over in the index.
    for (const field of ['created_at', 'updated_at', 'priority', 'name']) {
      this.addSql(`create index tasks_by_${field} on read.tasks (owner_id, ${field}, id, script_type, status)`);
    }
    this.grant('tasks');
  }

  private createExecutions(): void {
    this.addSql(`
      create table read.executions (
        id uuid primary key,
        task_id uuid not null,
        owner_id uuid not null,
        status text not null,
        executor text not null,
        script_type text not null,
        attempt integer not null,
        return_code integer,
        signal text,
        termination_reason text,
        stdout jsonb,
        stderr jsonb,
        execution_time_ms double precision,
        cpu_time_ms double precision,
        memory_usage_bytes double precision,
        queue_time_ms double precision,
        created_at timestamptz not null,
        started_at timestamptz,
        completed_at timestamptz,
        next_attempt_at timestamptz,
        dead_lettered boolean not null,
        dead_letter_discarded boolean not null,
        trace_id text,
        version integer not null
      )`);
    // Executions accumulate, and those of one status are few: they have indexes of their own (ADR 20).
    for (const [name, columns] of [
      ['executions_by_owner', 'owner_id, created_at, id, script_type'],
      ['executions_by_owner_status', 'owner_id, status, created_at, id, script_type'],
      ['executions_by_task', 'owner_id, task_id, created_at, id, script_type'],
      ['executions_by_task_status', 'owner_id, task_id, status, created_at, id, script_type'],
    ]) {
      this.addSql(`create index ${name} on read.executions (${columns})`);
    }
    for (const [name, columns] of [
      ['executions_dead', 'created_at, id'],
      ['executions_dead_by_owner', 'owner_id, created_at, id'],
    ]) {
      this.addSql(
        `create index ${name} on read.executions (${columns}) where dead_lettered and not dead_letter_discarded`,
      );
    }
    this.grant('executions');
  }

  private createActiveExecutions(): void {
    this.addSql(`
      create table read.active_executions (
        execution_id uuid primary key,
        owner_id uuid not null,
        executor text not null,
        status text not null,
        attempt integer not null,
        priority smallint not null,
        timeout_seconds integer not null,
        not_before timestamptz,
        started_at timestamptz,
        worker text,
        lease_token text,
        traceparent text
      )`);
    this.grant('active_executions');
  }

  private grant(table: string): void {
    this.addSql(grantToApp('select, insert, update, delete', `read.${table}`));
  }
}
