import { Migration } from '@mikro-orm/migrations';

import { APPEND_EVENT_SIGNATURE, APPEND_SIGNATURE, functionStatements } from './append-functions.js';
import { sqlFile } from './sql-file.js';

/**
 * The last event of each append holds a hash over the append and the hash before it, and the functions return an ordinary
 * conflict instead of raising it (docs/adr/0024-hash-chain.md).
 */
export class Migration20260112000000 extends Migration {
  override up(): void {
    this.addSql('alter table es.events add column chain bytea');
    this.addSql(`
      comment on column es.events.chain is
      'of the last event of an append: SHA-256 over the hash before it and all events since; null: a later event has it'`);
    this.addSql('alter table es.events disable trigger append_only');
    this.addSql(sqlFile('chain-recorded-events'));
    this.addSql('alter table es.events enable always trigger append_only');
    this.replaceFunctions('v2');
  }

  override down(): void {
    this.replaceFunctions('v1');
    this.addSql('alter table es.events drop column chain');
  }

  private replaceFunctions(version: 'v1' | 'v2'): void {
    for (const [signature, name] of [
      [APPEND_SIGNATURE, 'append'],
      [APPEND_EVENT_SIGNATURE, 'append-event'],
    ] as const) {
      this.addSql(`drop function ${signature}`);
      for (const statement of functionStatements(signature, `${name}.${version}`)) this.addSql(statement);
    }
  }
}
