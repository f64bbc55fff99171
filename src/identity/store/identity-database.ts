import { LockMode, raw, UniqueConstraintViolationException } from '@mikro-orm/core';
import { type EntityManager, type MikroORM } from '@mikro-orm/postgresql';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { JsonObject } from '../../kernel/json.js';
import { newId } from '../../kernel/uuid.js';
import { asUnavailable, sqlStateOf } from '../../platform/postgres/outage.js';
import type { UserEvent } from '../domain/user-events.js';
import { isErased, SecurityFact, User } from './entities.js';

/** The email (or whatever else is unique) is taken. */
export class AlreadyTaken extends Error {}

/** A fact about a user that is not yet in the user's stream. */
export interface FactToRecord {
  readonly event: UserEvent;
  readonly metadata: EventMetadata;
}

/** The tables of identity. Throws Unavailable, AlreadyTaken, or an unexpected error without values. */
export class IdentityDatabase {
  constructor(private readonly orm: MikroORM) {}

  inTransaction<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    return this.run((em) => em.transactional(work as (em: unknown) => Promise<T>));
  }

  async run<T>(work: (em: EntityManager) => Promise<T>): Promise<T> {
    try {
      return await work(this.orm.em.fork());
    } catch (error) {
      if (error instanceof UniqueConstraintViolationException) throw new AlreadyTaken();
      throw withoutValues(asUnavailable(error));
    }
  }
}

/** Postgres' clock, so that all processes agree on the order of revocations. */
export const NOW = raw<Date>('now()');

/** @returns false if the user does not exist, is erased, or has another password hash */
export async function lockUser(em: EntityManager, userId: string, passwordHash?: string): Promise<boolean> {
  const user = await em.findOne(User, { id: userId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return user !== null && !isErased(user) && (passwordHash === undefined || user.passwordHash === passwordHash);
}

/** The counter is incremented under the user's row lock, so the ordinals of facts follow the order of their commits. */
export async function recordFacts(em: EntityManager, userId: string, facts: readonly FactToRecord[]): Promise<void> {
  for (const { event, metadata } of facts) {
    const [counted] = await em.execute<{ fact_count: number }[]>(
      'update identity.users set fact_count = fact_count + 1 where id = ? returning fact_count',
      [userId],
    );
    if (!counted) throw new Error('security fact for an unknown user');
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
  return state === '' ? error : new Error(`identity statement failed with SQLSTATE ${state}`);
}
