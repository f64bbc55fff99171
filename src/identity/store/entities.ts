import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { JsonObject } from '../../kernel/json.js';

@Entity({ schema: 'identity', tableName: 'users' })
export class User {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'text' })
  email!: string;

  @Property({ type: 'text' })
  emailKey!: string;

  @Property({ type: 'text' })
  name!: string;

  @Property({ type: 'text' })
  passwordHash!: string;

  @Property({ type: 'boolean' })
  isAdmin!: boolean;

  /** Number of security facts so far; also the ordinal of the newest one. */
  @Property({ type: 'integer' })
  factCount!: number;

  @Property({ type: 'datetime', length: 3 })
  createdAt!: Date;

  @Property({ type: 'datetime', length: 3 })
  updatedAt!: Date;
}

/** Belongs to no user: an email has an @. */
export const emailOfErased = (userId: string): string => `erased-${userId}`;

export const isErased = ({ id, emailKey }: Pick<User, 'id' | 'emailKey'>): boolean => emailKey === emailOfErased(id);

/** A login and the refresh tokens that descend from it: one family. */
@Entity({ schema: 'identity', tableName: 'sessions' })
export class Session {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  userId!: string;

  @Property({ type: 'blob' })
  refreshHash!: Buffer;

  /** Hash of the previous token; null before the first refresh. */
  @Property({ type: 'blob', nullable: true })
  previousHash!: Buffer | null;

  /** Time of the last refresh, by Postgres' clock. */
  @Property({ type: 'datetime', length: 3, nullable: true })
  rotatedAt!: Date | null;

  @Property({ type: 'datetime', length: 3 })
  createdAt!: Date;

  @Property({ type: 'datetime', length: 3 })
  expiresAt!: Date;

  @Property({ type: 'datetime', length: 3, nullable: true })
  revokedAt!: Date | null;
}

@Entity({ schema: 'identity', tableName: 'api_keys' })
export class ApiKey {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  userId!: string;

  @Property({ type: 'text' })
  name!: string;

  /** The first characters of the key. */
  @Property({ type: 'text' })
  prefix!: string;

  @Property({ type: 'blob' })
  hash!: Buffer;

  @Property({ type: 'array' })
  scopes!: string[];

  @Property({ type: 'datetime', length: 3 })
  createdAt!: Date;

  /** Null: never. */
  @Property({ type: 'datetime', length: 3, nullable: true })
  expiresAt!: Date | null;

  @Property({ type: 'datetime', length: 3, nullable: true })
  lastUsedAt!: Date | null;

  @Property({ type: 'datetime', length: 3, nullable: true })
  revokedAt!: Date | null;
}

/** A fact on its way to the log. */
@Entity({ schema: 'identity', tableName: 'security_facts' })
export class SecurityFact {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'uuid' })
  userId!: string;

  /** Its version in the user's stream. */
  @Property({ type: 'integer' })
  ordinal!: number;

  @Property({ type: 'text' })
  type!: string;

  @Property({ type: 'json' })
  data!: JsonObject;

  @Property({ type: 'json' })
  metadata!: EventMetadata;

  @Property({ type: 'datetime', length: 3 })
  createdAt!: Date;
}
