import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** What compilers made, so that the same source is not compiled again (docs/adr/0050-compiled-programs.md). */
export class Migration20261130000000 extends Migration {
  override up(): void {
    this.addSql(`
      create table es.compiled_programs (
        owner_id uuid not null,
        key bytea not null,
        bytes int not null,
        ciphertext bytea not null,
        stored_at timestamptz not null default now(),
        primary key (owner_id, key)
      )`);
    this.addSql(`comment on table es.compiled_programs is 'a cache: nothing is lost with it'`);
    this.addSql(`comment on column es.compiled_programs.key is 'SHA-256 of all that the compiler was given'`);
    // Ciphertext does not compress.
    this.addSql('alter table es.compiled_programs alter column ciphertext set storage external');
    this.addSql('create index compiled_programs_by_age on es.compiled_programs (stored_at)');
    this.addSql(grantToApp('select, insert, update, delete', 'es.compiled_programs'));
  }

  override down(): void {
    this.addSql('drop table es.compiled_programs');
  }
}
