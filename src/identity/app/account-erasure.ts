import { randomUUID } from 'node:crypto';

import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { SessionIdentity } from '../../http/request-context.js';
import { DomainError } from '../../kernel/errors.js';
import type { Log } from '../../platform/telemetry/log.js';
import { UserErased, UserErasureRefused } from '../domain/user-events.js';
import { isErased } from '../store/entities.js';
import type { IdentityStore } from '../store/identity-store.js';
import type { PasswordHasher } from './password-hasher.js';
import type { Revocations } from './revocations.js';
import type { SecurityFacts } from './security-facts.js';
import { invalidToken } from './tokens.js';

export interface AccountErasureOptions {
  readonly store: IdentityStore;
  readonly hasher: PasswordHasher;
  readonly revocations: Revocations;
  readonly facts: SecurityFacts;
  /** The data key of everything that the user stored. */
  readonly keys: { destroy(ownerId: string): Promise<void> };
  readonly log: Log;
}

/**
 * Erases an account (ADR 67). One transaction erases the personal data, ends every session and API key, and records the
 * erasure; from then on it cannot fail. Then the data key is destroyed. The sweep of the orchestrator's role does the
 * rest, and also what a crash has left undone here.
 */
export class AccountErasure {
  constructor(private readonly options: AccountErasureOptions) {}

  /**
   * By the user.
   * @throws DomainError `wrong_password`, or `invalid_token` if the account does not exist any more; Unavailable
   */
  async eraseOwn({ userId, sessionId }: SessionIdentity, password: string, metadata: EventMetadata): Promise<void> {
    const { store, hasher, facts } = this.options;
    const user = await store.findUser(userId);
    if (!user || isErased(user)) throw invalidToken();
    const isOwner = await hasher.matches(user.passwordHash, password);
    if (isOwner && (await this.record(userId, user.passwordHash, metadata))) return;
    const event = UserErasureRefused({ user_id: userId, session_id: sessionId });
    await store.recordFact(userId, { event, metadata });
    facts.announce(userId);
    // As for a change of the password: a 401 would log the user out.
    throw new DomainError('wrong_password', 'Current password is wrong', 'forbidden');
  }

  /** By an operator. May be repeated: the sweep then looks again. @throws DomainError `user_not_found`; Unavailable */
  async erase(userId: string, metadata: EventMetadata): Promise<void> {
    if (!(await this.record(userId, undefined, metadata)))
      throw new DomainError('user_not_found', 'User not found', 'not_found');
    await this.options.facts.flushed();
  }

  /** @returns false if there is no such user, or the password has changed since the comparison */
  private async record(userId: string, passwordHash: string | undefined, metadata: EventMetadata): Promise<boolean> {
    const { store, hasher, revocations, facts, keys, log } = this.options;
    const hashes = { unknownPasswordHash: await hasher.hash(randomUUID()), ...(passwordHash && { passwordHash }) };
    const ended = await store.erase(userId, hashes, { event: UserErased({ user_id: userId }), metadata });
    if (ended === null) return false;
    for (const id of ended) revocations.add(id);
    facts.announce(userId);
    log.info({ user_id: userId }, 'account erased');
    try {
      await keys.destroy(userId);
    } catch (error) {
      // The account is gone already, so its owner could not repeat the request.
      log.warn({ err: error, user_id: userId }, 'data key not destroyed: the sweep of erasures retries');
    }
    return true;
  }
}
