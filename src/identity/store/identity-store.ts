import { LockMode, raw, UniqueConstraintViolationException } from '@mikro-orm/core';
import { type EntityManager, type MikroORM } from '@mikro-orm/postgresql';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { JsonObject } from '../../kernel/json.js';
import { newId } from '../../kernel/uuid.js';
import { asUnavailable, sqlStateOf } from '../../platform/postgres/outage.js';
import type { UserEvent } from '../domain/user-events.js';
import { SecurityFact, Session, User } from './entities.js';

/** The email (or whatever else is unique) is taken. */
export class AlreadyTaken extends Error {}

/** A fact about a user, as it is told before it has a place in the user's stream. */
export interface FactToRecord {
  readonly event: UserEvent;
  readonly metadata: EventMetadata;
}

/** A fact about sessions that ended together, made when it is known how many. */
export type FactOfSessions = (sessionsEnded: number) => FactToRecord;

export interface RevokedSession {
  readonly id: string;
  readonly revokedAt: Date;
}

/** Users, sessions and facts in Postgres. What it throws is Unavailable, AlreadyTaken, or a bug without any values. */
export class IdentityStore {
  constructor(private readonly orm: MikroORM) {}

  findUserByEmailKey(emailKey: string): Promise<User | null> {
    return this.run((em) => em.findOne(User, { emailKey }));
  }

  findUser(id: string): Promise<User | null> {
    return this.run((em) => em.findOne(User, { id }));
  }

  /** A user with a first session (a person who registered) or without (an admin made on the command line). */
  insertUser(user: Omit<User, 'factCount'>, session: Session | null, facts: readonly FactToRecord[]): Promise<void> {
    return this.inTransaction(async (em) => {
      const inserted = (await em
        .qb(User)
        .insert({ ...user, factCount: 0 })
        .onConflict('emailKey')
        .ignore()
        .execute('run')) as { readonly affectedRows: number };
      // Not by its unique violation: that is an ERROR in Postgres's log, with the statement beside it.
      if (inserted.affectedRows === 0) throw new AlreadyTaken();
      if (session) await em.insert(Session, session);
      await recordFacts(em, user.id, facts);
    });
  }

  /**
   * A session of somebody whose password was compared with that hash. A change of password ends the sessions there are:
   * one that begins beside it, with the old password, does not come after it.
   * @returns false where the password has been changed since
   */
  insertSession(session: Session, passwordHash: string, facts: readonly FactToRecord[]): Promise<boolean> {
    return this.inTransaction(async (em) => {
      if (!(await lockUser(em, session.userId, passwordHash))) return false;
      await em.insert(Session, session);
      await recordFacts(em, session.userId, facts);
      return true;
    });
  }

  findSession(id: string): Promise<Session | null> {
    return this.run((em) => em.findOne(Session, { id }));
  }

  /** One statement, so that of two uses of one refresh token exactly one rotates. @returns whether this one did */
  rotate(sessionId: string, from: Buffer, to: { refreshHash: Buffer; expiresAt: Date }): Promise<boolean> {
    return this.run(async (em) => {
      const where = { id: sessionId, refreshHash: from, revokedAt: null, expiresAt: { $gt: new Date() } };
      return (await em.nativeUpdate(Session, where, { ...to, previousHash: from, rotatedAt: NOW })) === 1;
    });
  }

  /** A session whose current refresh token followed that one, at most so long ago; null for any other. */
  findRotatedFrom(sessionId: string, from: Buffer, withinMs: number): Promise<Session | null> {
    return this.run((em) =>
      em.findOne(Session, {
        id: sessionId,
        previousHash: from,
        rotatedAt: { $gt: raw(`now() - ? * interval '1 millisecond'`, [withinMs]) },
        revokedAt: null,
        expiresAt: { $gt: new Date() },
      }),
    );
  }

  /** Revokes a session and tells why. @returns whether it was this call that revoked it */
  revokeSession(session: { id: string; userId: string }, fact: FactToRecord): Promise<boolean> {
    return this.inTransaction(async (em) => {
      const revoked = await em.nativeUpdate(Session, { id: session.id, revokedAt: null }, { revokedAt: NOW });
      if (revoked === 1) await recordFacts(em, session.userId, [fact]);
      return revoked === 1;
    });
  }

  /** Revokes every session of a user. @param fact says so of so many @returns their ids */
  revokeSessions(userId: string, fact: FactOfSessions): Promise<readonly string[]> {
    return this.inTransaction((em) => endSessions(em, userId, null, fact));
  }

  /**
   * Changes a password and revokes every session but one.
   * @param hashes the hash that the current password was compared with, and the new one's
   * @returns the ids of the revoked sessions; null where the password has been changed since it was compared
   */
  changePassword(
    { userId, sessionId }: { userId: string; sessionId: string },
    hashes: { from: string; to: string },
    fact: FactOfSessions,
  ): Promise<readonly string[] | null> {
    return this.inTransaction(async (em) => {
      if (!(await lockUser(em, userId, hashes.from))) return null;
      await em.nativeUpdate(User, { id: userId }, { passwordHash: hashes.to, updatedAt: new Date() });
      return endSessions(em, userId, sessionId, fact);
    });
  }

  /** Makes or unmakes an admin; unmaking revokes every session, since their tokens say "admin". */
  setAdmin(userId: string, isAdmin: boolean, fact: FactToRecord): Promise<void> {
    return this.inTransaction(async (em) => {
      await em.nativeUpdate(User, { id: userId }, { isAdmin, updatedAt: new Date() });
      if (!isAdmin) await em.nativeUpdate(Session, { userId, revokedAt: null }, { revokedAt: NOW });
      await recordFacts(em, userId, [fact]);
    });
  }

  /** Leaves an id that nobody can log in with, and revokes every session. */
  erase(userId: string, unknownPasswordHash: string, fact: FactToRecord): Promise<void> {
    return this.inTransaction(async (em) => {
      const nobody = emailOfErased(userId);
      const values = { email: nobody, emailKey: nobody, name: '', isAdmin: false };
      const passwordHash = unknownPasswordHash;
      await em.nativeUpdate(User, { id: userId }, { ...values, passwordHash, updatedAt: new Date() });
      await em.nativeUpdate(Session, { userId, revokedAt: null }, { revokedAt: NOW });
      await recordFacts(em, userId, [fact]);
    });
  }

  recordFact(userId: string, fact: FactToRecord): Promise<void> {
    return this.inTransaction((em) => recordFacts(em, userId, [fact]));
  }

  /** Oldest first. */
  findFacts(userId: string, limit: number): Promise<SecurityFact[]> {
    return this.run((em) => em.find(SecurityFact, { userId }, { orderBy: { ordinal: 'asc' }, limit }));
  }

  deleteFact(id: string): Promise<void> {
    return this.run(async (em) => void (await em.nativeDelete(SecurityFact, { id })));
  }

  /** Users with facts that are older than a flush should ever take: whoever was to append them is gone. */
  findUsersWithStrandedFacts(olderThanMs: number, limit: number): Promise<string[]> {
    return this.run(async (em) => {
      const rows = await em.execute<{ user_id: string }[]>(
        `select distinct user_id from identity.security_facts
         where created_at < now() - ? * interval '1 millisecond' limit ?`,
        [olderThanMs, limit],
      );
      return rows.map((row) => row.user_id);
    });
  }

  /** Sessions revoked after a moment of Postgres' clock, oldest first. */
  findRevokedSince(since: Date): Promise<RevokedSession[]> {
    return this.run((em) =>
      em.execute<RevokedSession[]>(
        `select id, revoked_at as "revokedAt" from identity.sessions where revoked_at > ? order by revoked_at`,
        [since],
      ),
    );
  }

  /** Sessions that ended long ago. @returns how many went */
  deleteExpiredSessions(expiredForMs: number, limit: number): Promise<number> {
    return this.run(async (em) => {
      const result = await em.execute<{ affectedRows: number }>(
        `delete from identity.sessions where id in (
           select id from identity.sessions where expires_at < now() - ? * interval '1 millisecond' limit ?)`,
        [expiredForMs, limit],
        'run',
      );
      return result.affectedRows;
    });
  }

  private inTransaction<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.run((em) => em.transactional(work as (em: unknown) => Promise<T>));
  }

  private async run<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(this.orm.em.fork());
    } catch (error) {
      if (error instanceof UniqueConstraintViolationException) throw new AlreadyTaken();
      throw withoutValues(asUnavailable(error));
    }
  }
}

/** Postgres' clock, so that all processes agree on what was revoked after what. */
const NOW = raw<Date>('now()');

/** Nobody's: an email has an @. */
const emailOfErased = (userId: string): string => `erased-${userId}`;

export const isErased = ({ id, emailKey }: Pick<User, 'id' | 'emailKey'>): boolean => emailKey === emailOfErased(id);

/** Under the user's row lock, which a login takes too. @param kept the session that goes on, where one does */
async function endSessions(
  em: EntityManager,
  userId: string,
  kept: string | null,
  fact: FactOfSessions,
): Promise<readonly string[]> {
  await lockUser(em, userId);
  const ended = await em.execute<{ id: string }[]>(
    `update identity.sessions set revoked_at = now()
     where user_id = ? and revoked_at is null and id is distinct from ? returning id`,
    [userId, kept],
  );
  await recordFacts(em, userId, [fact(ended.length)]);
  return ended.map(({ id }) => id);
}

/** @returns false where there is no such user, or it has another password */
async function lockUser(em: EntityManager, userId: string, passwordHash?: string): Promise<boolean> {
  const user = await em.findOne(User, { id: userId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return user !== null && (passwordHash === undefined || user.passwordHash === passwordHash);
}

/** The count is taken under the user's row lock, so facts are told in the order of their commits. */
async function recordFacts(em: EntityManager, userId: string, facts: readonly FactToRecord[]): Promise<void> {
  for (const { event, metadata } of facts) {
    const [counted] = await em.execute<{ fact_count: number }[]>(
      'update identity.users set fact_count = fact_count + 1 where id = ? returning fact_count',
      [userId],
    );
    if (!counted) throw new Error('a security fact about nobody');
    await em.insert(SecurityFact, {
      id: newId(),
      userId,
      ordinal: counted.fact_count,
      type: event.type,
      data: event.data as JsonObject,
      metadata,
      createdAt: new Date(),
    });
  }
}

/** MikroORM's errors carry the statement with its parameters' values, and Postgres' details quote the row. */
function withoutValues(error: unknown): unknown {
  const state = sqlStateOf(error);
  return state === '' ? error : new Error(`identity's statement failed with SQLSTATE ${state}`);
}
