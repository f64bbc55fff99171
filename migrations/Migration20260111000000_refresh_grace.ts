import { Migration } from '@mikro-orm/migrations';

/** What tells a refresh token that is sent twice at once from one that is stolen (ADR 23). */
export class Migration20260111000000 extends Migration {
  override up(): void {
    this.addSql('alter table identity.sessions add column previous_hash bytea, add column rotated_at timestamptz(3)');
    this.addSql(
      `comment on column identity.sessions.previous_hash is 'SHA-256 of the refresh token before the current one'`,
    );
    this.addSql(`comment on column identity.sessions.rotated_at is 'when it did'`);
  }

  override down(): void {
    this.addSql('alter table identity.sessions drop column previous_hash, drop column rotated_at');
  }
}
