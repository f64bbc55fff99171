import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** Batches for lists, and those that the starter of batches has work with (ADR 55). */
export class Migration20261130000300 extends Migration {
  override up(): void {
    this.addSql(`
      create table read.batches (
        id uuid primary key,
        owner_id uuid not null,
        kind text not null,
        status text not null,
        size integer not null,
        refused integer not null,
        created_at timestamptz not null,
        version integer not null
      )`);
    this.addSql('create index batches_by_owner on read.batches (owner_id, created_at, id)');
    // At most a few per owner: they are counted before another one is accepted.
    this.addSql(`create index batches_starting on read.batches (owner_id) where status = 'starting'`);
    this.addSql(`
      create table read.active_batches (
        batch_id uuid primary key,
        status text not null,
        requested_at timestamptz not null,
        traceparent text
      )`);
    for (const table of ['batches', 'active_batches']) {
      this.addSql(grantToApp('select, insert, update, delete', `read.${table}`));
    }
  }

  override down(): void {
    this.addSql('drop table read.active_batches, read.batches');
  }
}
