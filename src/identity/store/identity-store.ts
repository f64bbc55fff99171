import { LockMode, raw } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';

import { ApiKey, emailOfErased, isErased, SecurityFact, Session, User } from './entities.js';
import {
  AlreadyTaken,
  type FactToRecord,
  type IdentityDatabase,
  lockUser,
  NOW,
  recordFacts,
} from './identity-database.js';

/** Makes the fact about sessions that ended together, when their number is known. */
export type FactOfSessions = (sessionsEnded: number) => FactToRecord;

export interface Revoked {
  readonly id: string;
  readonly revokedAt: Date;
}

/** Users, sessions and facts in Postgres. Throws Unavailable, AlreadyTaken, or an unexpected error without values. */
export class IdentityStore {
  constructor(private readonly database: IdentityDatabase) {}

  findUserByEmailKey(emailKey: string): Promise<User | null> {
    return this.database.run((em) => em.findOne(User, { emailKey }));
  }

  findUser(id: string): Promise<User | null> {
    return this.database.run((em) => em.findOne(User, { id }));
  }

  /** Inserts a user, with a session (registration) or without one (an admin created on the command line). */
  insertUser(user: Omit<User, 'factCount'>, session: Session | null, facts: readonly FactToRecord[]): Promise<void> {
    return this.database.inTransaction(async (em) => {
      const inserted = (await em
        .qb(User)
        .insert({ ...user, factCount: 0 })
        .onConflict('emailKey')
        .ignore()
        .execute('run')) as { readonly affectedRows: number };
      // Avoids a unique violation, which is an ERROR in Postgres' log, together with the statement.
      if (inserted.affectedRows === 0) throw new AlreadyTaken();
      if (session) await em.insert(Session, session);
      await recordFacts(em, user.id, facts);
    });
  }

  /**
   * Inserts a session after the password was compared with that hash. A password change ends only existing sessions, so
   * a concurrent login with the old password must not insert its session afterwards.
   * @returns false if the password has changed since the comparison
   */
  insertSession(session: Session, passwordHash: string, facts: readonly FactToRecord[]): Promise<boolean> {
    return this.database.inTransaction(async (em) => {
      if (!(await lockUser(em, session.userId, passwordHash))) return false;
      await em.insert(Session, session);
      await recordFacts(em, session.userId, facts);
      return true;
    });
  }

  findSession(id: string): Promise<Session | null> {
    return this.database.run((em) => em.findOne(Session, { id }));
  }

  /** One statement, so that only one of two concurrent uses rotates the token. @returns whether this call did */
  rotate(sessionId: string, from: Buffer, to: { refreshHash: Buffer; expiresAt: Date }): Promise<boolean> {
    return this.database.run(async (em) => {
      const where = { id: sessionId, refreshHash: from, revokedAt: null, expiresAt: { $gt: new Date() } };
      return (await em.nativeUpdate(Session, where, { ...to, previousHash: from, rotatedAt: NOW })) === 1;
    });
  }

  /** The session, if its current refresh token replaced `from` at most `withinMs` ago; otherwise null. */
  findRotatedFrom(sessionId: string, from: Buffer, withinMs: number): Promise<Session | null> {
    return this.database.run((em) =>
      em.findOne(Session, {
        id: sessionId,
        previousHash: from,
        rotatedAt: { $gt: raw(`now() - ? * interval '1 millisecond'`, [withinMs]) },
        revokedAt: null,
        expiresAt: { $gt: new Date() },
      }),
    );
  }

  /** Revokes a session and records why. @returns whether this call revoked it */
  revokeSession(session: { id: string; userId: string }, fact: FactToRecord): Promise<boolean> {
    return this.database.inTransaction(async (em) => {
      const revoked = await em.nativeUpdate(Session, { id: session.id, revokedAt: null }, { revokedAt: NOW });
      if (revoked === 1) await recordFacts(em, session.userId, [fact]);
      return revoked === 1;
    });
  }

  /** Revokes every session of a user. @param fact gets their number @returns their ids */
  revokeSessions(userId: string, fact: FactOfSessions): Promise<readonly string[]> {
    return this.database.inTransaction((em) => endSessions(em, userId, null, fact));
  }

  /**
   * Changes a password and revokes every session except one.
   * @param hashes the hash that the current password was compared with, and the new hash
   * @returns the ids of the revoked sessions; null if the password has changed since the comparison
   */
  changePassword(
    { userId, sessionId }: { userId: string; sessionId: string },
    hashes: { from: string; to: string },
    fact: FactOfSessions,
  ): Promise<readonly string[] | null> {
    return this.database.inTransaction(async (em) => {
      if (!(await lockUser(em, userId, hashes.from))) return null;
      await em.nativeUpdate(User, { id: userId }, { passwordHash: hashes.to, updatedAt: new Date() });
      return endSessions(em, userId, sessionId, fact);
    });
  }

  /** Grants or revokes admin rights. Revoking them revokes every session, because its tokens contain "admin". */
  setAdmin(userId: string, isAdmin: boolean, fact: FactToRecord): Promise<void> {
    return this.database.inTransaction(async (em) => {
      await em.nativeUpdate(User, { id: userId }, { isAdmin, updatedAt: new Date() });
      if (!isAdmin) await em.nativeUpdate(Session, { userId, revokedAt: null }, { revokedAt: NOW });
      await recordFacts(em, userId, [fact]);
    });
  }

  /**
   * Keeps only an id without a usable login, revokes every session and API key, and records that the rest must be
   * erased, all in one transaction. The fact is recorded once; a repetition makes the sweep look again.
   * @param passwordHash that the password was compared with; undefined: for an operator
   * @returns the ids of the revoked sessions; null if the password has changed since the comparison
   */
  erase(
    userId: string,
    { passwordHash, unknownPasswordHash }: { passwordHash?: string; unknownPasswordHash: string },
    fact: FactToRecord,
  ): Promise<readonly string[] | null> {
    return this.database.inTransaction(async (em) => {
      const user = await em.findOne(User, { id: userId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!user) return null;
      if (isErased(user)) {
        await requestErasure(em, userId);
        return [];
      }
      if (passwordHash !== undefined && user.passwordHash !== passwordHash) return null;
      const email = emailOfErased(userId);
      const values = { email, emailKey: email, name: '', isAdmin: false, passwordHash: unknownPasswordHash };
      await em.nativeUpdate(User, { id: userId }, { ...values, updatedAt: new Date() });
      const sessionIds = await revokeSessionsOf(em, userId, null);
      await em.nativeUpdate(ApiKey, { userId, revokedAt: null }, { revokedAt: NOW });
      await em.nativeUpdate(ApiKey, { userId }, { name: '' });
      await em.execute(
        'delete from identity.api_key_addresses where key_id in (select id from identity.api_keys where user_id = ?)',
        [userId],
      );
      await recordFacts(em, userId, [fact]);
      await requestErasure(em, userId);
      return sessionIds;
    });
  }

  recordFact(userId: string, fact: FactToRecord): Promise<void> {
    return this.database.inTransaction((em) => recordFacts(em, userId, [fact]));
  }

  /** Oldest first. */
  findFacts(userId: string, limit: number): Promise<SecurityFact[]> {
    return this.database.run((em) => em.find(SecurityFact, { userId }, { orderBy: { ordinal: 'asc' }, limit }));
  }

  deleteFact(id: string): Promise<void> {
    return this.database.run(async (em) => void (await em.nativeDelete(SecurityFact, { id })));
  }

  /** Users with facts that are older than any flush takes: the process that should have appended them has ended. */
  findUsersWithStrandedFacts(olderThanMs: number, limit: number): Promise<string[]> {
    return this.database.run(async (em) => {
      const rows = await em.execute<{ user_id: string }[]>(
        `select distinct user_id from identity.security_facts
         where created_at < now() - ? * interval '1 millisecond' limit ?`,
        [olderThanMs, limit],
      );
      return rows.map((row) => row.user_id);
    });
  }

  /** Sessions revoked after a time of Postgres' clock, oldest first. */
  findRevokedSince(since: Date): Promise<Revoked[]> {
    return this.database.run((em) =>
      em.execute<Revoked[]>(
        `select id, revoked_at as "revokedAt" from identity.sessions where revoked_at > ? order by revoked_at`,
        [since],
      ),
    );
  }

  /** Deletes sessions that expired long ago. @returns how many were deleted */
  deleteExpiredSessions(expiredForMs: number, limit: number): Promise<number> {
    return this.database.run(async (em) => {
      const result = await em.execute<{ affectedRows: number }>(
        `delete from identity.sessions where id in (
           select id from identity.sessions where expires_at < now() - ? * interval '1 millisecond' limit ?)`,
        [expiredForMs, limit],
        'run',
      );
      return result.affectedRows;
    });
  }
}

/** Holds the user's row lock, which a login also takes. @param kept the session that continues, if any */
async function endSessions(
  em: EntityManager,
  userId: string,
  kept: string | null,
  fact: FactOfSessions,
): Promise<readonly string[]> {
  await lockUser(em, userId);
  const ended = await revokeSessionsOf(em, userId, kept);
  await recordFacts(em, userId, [fact(ended.length)]);
  return ended;
}

async function revokeSessionsOf(em: EntityManager, userId: string, kept: string | null): Promise<readonly string[]> {
  const ended = await em.execute<{ id: string }[]>(
    `update identity.sessions set revoked_at = now()
     where user_id = ? and revoked_at is null and id is distinct from ? returning id`,
    [userId, kept],
  );
  return ended.map(({ id }) => id);
}

/** Asks the sweep to erase what is outside of identity, again if it has done so before. */
async function requestErasure(em: EntityManager, userId: string): Promise<void> {
  await em.execute(
    `insert into identity.erasures (user_id) values (?)
     on conflict (user_id) do update set requested_at = now(), completed_at = null`,
    [userId],
  );
}
