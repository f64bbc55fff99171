import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** The Merkle tree over the log, in tiles, and its signed checkpoints (docs/adr/0064-sealed-log.md). */
export class Migration20261201000200 extends Migration {
  override up(): void {
    this.addSql(`
      create table es.tiles (
        level smallint not null check (level >= 0),
        index bigint not null check (index >= 0),
        hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
        primary key (level, index)
      )`);
    // Hashes do not compress.
    this.addSql('alter table es.tiles alter column hashes set storage external');
    this.addSql(`
      create table es.checkpoints (
        size bigint primary key check (size > previous_size),
        previous_size bigint not null unique check (previous_size >= 0),
        sealed_at timestamptz(3) not null,
        note text not null
      )`);
    this.addSql(`
      comment on column es.checkpoints.previous_size is
      'of the checkpoint that this one follows; unique, so that of two sealers only one continues'`);
    this.addSql(grantToApp('select, insert, update (hashes)', 'es.tiles'));
    this.addSql(grantToApp('select, insert, delete', 'es.checkpoints'));
  }

  /** Both can be made again from the log; checkpoints that others keep stay valid. */
  override down(): void {
    this.addSql('drop table es.tiles, es.checkpoints');
  }
}
