import { Migration } from '@mikro-orm/migrations';

import { APPEND_EVENT_SIGNATURE, APPEND_SIGNATURE, functionStatements } from './append-functions.js';
import { grantToApp } from './grants.js';

/** The log, its payloads, and the one way to append to it. */
export class Migration20260101000000 extends Migration {
  override up(): void {
    this.addSql('create schema es');
    this.addSql(grantToApp('usage', 'schema es'));
    this.createEvents();
    this.createPayloads();
    this.createSnapshots();
    for (const [signature, file] of [
      [APPEND_SIGNATURE, 'append.v1'],
      [APPEND_EVENT_SIGNATURE, 'append-event.v1'],
    ] as const) {
      for (const statement of functionStatements(signature, file)) this.addSql(statement);
    }
  }

  override down(): void {
    this.addSql(`
      do $$ begin
        if exists (select from es.events) then raise 'the log is not empty: drop schema es by hand if you mean it'; end if;
      end $$`);
    this.addSql('drop schema es cascade');
  }

  private createEvents(): void {
    this.addSql(`
      create table es.events (
        position bigint primary key,
        stream_type text not null,
        stream_id uuid not null,
        version int not null check (version > 0),
        event_id uuid not null unique,
        type text not null,
        schema_version smallint not null check (schema_version > 0),
        data jsonb not null,
        metadata jsonb not null,
        recorded_at timestamptz(3) not null,
        unique (stream_id, version)
      )`);
    this.addSql(
      `comment on column es.events.recorded_at is 'in milliseconds, so that a JavaScript Date loses nothing'`,
    );
    // Without the position of the newest event: see docs/adr/0002-append-function.md.
    this.addSql(`create table es.log (only_row boolean primary key default true check (only_row), epoch int not null)`);
    this.addSql(`insert into es.log (epoch) values (1)`);
    this.addSql(`
      create view es.head as
      select coalesce((select max(position) from es.events), 0) as position, epoch from es.log`);
    this.addSql(`
      create function es.refuse() returns trigger language plpgsql as $$
      begin
        raise exception '% on %.% is refused: it is append-only', tg_op, tg_table_schema, tg_table_name
          using errcode = 'insufficient_privilege';
      end $$`);
    this.addSql(`
      create trigger append_only before update or delete or truncate on es.events
      for each statement execute function es.refuse()`);
    // ALWAYS: session_replication_role = replica does not get round it.
    this.addSql('alter table es.events enable always trigger append_only');
    // No INSERT: with it the service could leave a gap in the positions. es.append, owned by the owner, inserts.
    this.addSql(grantToApp('select', 'es.events, es.head'));
  }

  private createPayloads(): void {
    this.addSql(`
      create table es.payloads (
        payload_id uuid primary key,
        owner_id uuid not null,
        kind text not null,
        ciphertext bytea not null,
        bytes int not null,
        sha256 text not null,
        created_at timestamptz not null default now()
      )`);
    // Ciphertext does not compress.
    this.addSql('alter table es.payloads alter column ciphertext set storage external');
    this.addSql(`
      create trigger write_once before update or truncate on es.payloads
      for each statement execute function es.refuse()`);
    this.addSql('alter table es.payloads enable always trigger write_once');
    this.addSql(`
      create table es.data_keys (
        owner_id uuid primary key,
        wrapped_key bytea,
        created_at timestamptz not null default now(),
        destroyed_at timestamptz,
        check ((wrapped_key is null) = (destroyed_at is not null))
      )`);
    this.addSql(grantToApp('select, insert', 'es.payloads, es.data_keys'));
    this.addSql(grantToApp('update (wrapped_key, destroyed_at)', 'es.data_keys'));
  }

  private createSnapshots(): void {
    // Unlogged: they are disposable, and a crash may empty them.
    this.addSql(`
      create unlogged table es.snapshots (
        stream_id uuid not null,
        reducer_version int not null,
        version int not null,
        state jsonb not null,
        primary key (stream_id, reducer_version)
      )`);
    this.addSql(grantToApp('select, insert, update, delete', 'es.snapshots'));
  }
}
