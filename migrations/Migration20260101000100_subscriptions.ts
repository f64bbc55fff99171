import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** The derived side: how far each subscription is, and what it had to leave out. Views of features come with them. */
export class Migration20260101000100 extends Migration {
  override up(): void {
    this.addSql('create schema read');
    this.addSql(grantToApp('usage', 'schema read'));
    this.addSql(`
      create table read.checkpoints (
        subscription text primary key,
        position bigint not null check (position >= 0),
        epoch int not null,
        generation int not null default 1,
        updated_at timestamptz not null default now()
      )`);
    this.addSql(
      `comment on column read.checkpoints.generation is 'of the rows: after a change, processes drop the rows that they have cached'`,
    );
    // Updated at every batch: room on the page keeps its updates away from the index.
    this.addSql('alter table read.checkpoints set (fillfactor = 20)');
    this.addSql(`
      create table read.parked (
        subscription text not null,
        stream_type text not null,
        stream_id uuid not null,
        from_position bigint not null,
        from_version int not null,
        error text not null,
        parked_at timestamptz not null default now(),
        reported_at timestamptz,
        redrive_requested_at timestamptz,
        primary key (subscription, stream_id)
      )`);
    this.addSql(grantToApp('select, insert, update, delete', 'read.checkpoints, read.parked'));
  }

  /** Everything here can be made again from the log. */
  override down(): void {
    this.addSql('drop schema read cascade');
  }
}
