import { Migration } from '@mikro-orm/migrations';

import { grantToApp } from './grants.js';

/** Users, their sessions, and security facts on their way to the log. */
export class Migration20260102000000 extends Migration {
  override up(): void {
    this.addSql('create schema identity');
    this.addSql(grantToApp('usage', 'schema identity'));
    this.addSql(`
      create table identity.users (
        id uuid primary key,
        email text not null,
        email_key text not null unique,
        name text not null,
        password_hash text not null,
        is_admin boolean not null default false,
        fact_count int not null default 0,
        created_at timestamptz(3) not null,
        updated_at timestamptz(3) not null
      )`);
    this.addSql(`comment on column identity.users.email_key is 'how emails compare: without case'`);
    this.addSql(
      `comment on column identity.users.fact_count is 'version of the user stream once all facts stand there'`,
    );
    this.createSessions();
    this.createSecurityFacts();
  }

  override down(): void {
    this.addSql('drop schema identity cascade');
  }

  private createSessions(): void {
    this.addSql(`
      create table identity.sessions (
        id uuid primary key,
        user_id uuid not null references identity.users on delete cascade,
        refresh_hash bytea not null,
        created_at timestamptz(3) not null,
        expires_at timestamptz(3) not null,
        revoked_at timestamptz(3)
      )`);
    this.addSql(`comment on column identity.sessions.refresh_hash is 'SHA-256 of the only refresh token that is good'`);
    this.addSql('create index sessions_of_user on identity.sessions (user_id)');
    this.addSql('create index sessions_by_expiry on identity.sessions (expires_at)');
    this.addSql(`create index sessions_revoked on identity.sessions (revoked_at) where revoked_at is not null`);
    this.addSql(grantToApp('select, insert, update, delete', 'identity.users, identity.sessions'));
  }

  /** An outbox: a row is here from the commit of what it tells until it stands in the log. */
  private createSecurityFacts(): void {
    this.addSql(`
      create table identity.security_facts (
        id uuid primary key,
        user_id uuid not null references identity.users on delete cascade,
        ordinal int not null check (ordinal > 0),
        type text not null,
        data jsonb not null,
        metadata jsonb not null,
        created_at timestamptz(3) not null,
        unique (user_id, ordinal)
      )`);
    this.addSql('create index security_facts_by_age on identity.security_facts (created_at)');
    this.addSql(grantToApp('select, insert, delete', 'identity.security_facts'));
  }
}
