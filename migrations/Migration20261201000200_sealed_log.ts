import { Migration } from '@mikro-orm/migrations';

import { APPEND_EVENT_SIGNATURE, APPEND_SIGNATURE, functionStatements } from './append-functions.js';
import { grantToApp } from './grants.js';

/**
 * The Merkle tree over the log, in tiles, and its signed checkpoints, in place of the hash chain
 * (docs/adr/0064-sealed-log.md).
 */
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
    this.replaceFunctions('v3');
    this.addSql('alter table es.events drop column chain');
  }

  /** Tiles and checkpoints can be made again from the log; checkpoints that others keep stay valid. */
  override down(): void {
    this.addSql('drop table es.tiles, es.checkpoints');
    this.addSql('alter table es.events add column chain bytea');
    this.replaceFunctions('v2');
  }

  private replaceFunctions(version: 'v2' | 'v3'): void {
    for (const [signature, name] of [
      [APPEND_SIGNATURE, 'append'],
      [APPEND_EVENT_SIGNATURE, 'append-event'],
    ] as const) {
      this.addSql(`drop function ${signature}`);
      for (const statement of functionStatements(signature, `${name}.${version}`)) this.addSql(statement);
    }
  }
}
