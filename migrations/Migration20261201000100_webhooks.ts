import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** Webhooks for lists and for the deliverer, and their deliveries (ADR 60). */
export class Migration20261201000100 extends Migration {
  override up(): void {
    this.addSql(`
      create table read.webhooks (
        id uuid primary key,
        owner_id uuid not null,
        status text not null,
        disabled_reason text,
        endpoint text not null,
        events text[] not null,
        include_output boolean not null,
        created_at timestamptz not null,
        updated_at timestamptz not null,
        version integer not null
      )`);
    this.addSql('create index webhooks_by_owner on read.webhooks (owner_id, created_at, id)');
    this.addSql(`
      create table read.webhook_targets (
        webhook_id uuid primary key,
        owner_id uuid not null,
        status text not null,
        endpoint text not null,
        events text[] not null,
        include_output boolean not null,
        failing_since timestamptz,
        is_gone boolean not null,
        version integer not null
      )`);
    this.addSql('create index webhook_targets_by_owner on read.webhook_targets (owner_id)');
    this.addSql(`
      create index webhook_targets_failing on read.webhook_targets (failing_since) where failing_since is not null`);
    this.addSql(`
      create table read.webhook_deliveries (
        id uuid primary key,
        webhook_id uuid,
        owner_id uuid not null,
        endpoint text,
        include_output boolean not null,
        event_id uuid not null,
        event_type text not null,
        event_time timestamptz not null,
        source_id uuid not null,
        source_version integer not null,
        status text not null,
        attempts integer not null,
        status_code integer,
        failure text,
        abandoned_reason text,
        due_at timestamptz,
        lane uuid not null,
        created_at timestamptz not null,
        completed_at timestamptz,
        traceparent text,
        version integer not null
      )`);
    this.addSql('create index webhook_deliveries_by_webhook on read.webhook_deliveries (webhook_id, created_at, id)');
    this.addSql(`
      create index webhook_deliveries_first on read.webhook_deliveries (lane, due_at, id)
      where status = 'pending' and attempts = 0`);
    this.addSql(`
      create index webhook_deliveries_retries on read.webhook_deliveries (lane, due_at, id)
      where status = 'pending' and attempts > 0`);
    this.addSql(`
      create index webhook_deliveries_in_order on read.webhook_deliveries (lane, source_id, source_version)
      where status = 'pending'`);
    for (const table of ['webhooks', 'webhook_targets', 'webhook_deliveries']) {
      this.addSql(grantToApp('select, insert, update, delete', `read.${table}`));
    }
  }

  override down(): void {
    this.addSql('drop table read.webhook_deliveries, read.webhook_targets, read.webhooks');
  }
}
