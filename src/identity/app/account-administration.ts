import type { EventMetadata } from '../../event-sourcing/core/event.js';
import { DomainError } from '../../kernel/errors.js';
import { emailKey } from '../domain/email.js';
import { AdminGranted, AdminRevoked, type UserEvent, UserRegistered } from '../domain/user-events.js';
import type { User } from '../store/entities.js';
import type { IdentityStore } from '../store/identity-store.js';
import type { NewAccount, NewAccounts } from './new-account.js';
import type { SecurityFacts } from './security-facts.js';

export interface AccountAdministrationOptions {
  readonly store: IdentityStore;
  readonly newAccounts: NewAccounts;
  readonly facts: SecurityFacts;
}

/** How the command line identifies an account. */
export type AccountName = { readonly email: string } | { readonly id: string };

/** Account operations for operators, on the command line only, not over HTTP. Every method may throw Unavailable. */
export class AccountAdministration {
  constructor(private readonly options: AccountAdministrationOptions) {}

  /** @throws DomainError `email_taken` @returns the user's id */
  async createAdmin(account: NewAccount, metadata: EventMetadata): Promise<string> {
    const { newAccounts, facts } = this.options;
    const user = await newAccounts.make(account, true);
    await newAccounts.insert(user, null, [
      { event: UserRegistered({ user_id: user.id }), metadata },
      { event: AdminGranted({ user_id: user.id }), metadata },
    ]);
    await facts.flushed();
    return user.id;
  }

  /**
   * A grant takes effect with the user's next tokens; a revocation ends every session of the user.
   * @throws DomainError `user_not_found`
   */
  async setAdmin(email: string, isAdmin: boolean, metadata: EventMetadata): Promise<string> {
    const user = await this.find({ email });
    if (user.isAdmin === isAdmin) return user.id;
    const event = isAdmin ? AdminGranted({ user_id: user.id }) : AdminRevoked({ user_id: user.id });
    await this.recordNow(event, (fact) => this.options.store.setAdmin(user.id, isAdmin, { event: fact, metadata }));
    return user.id;
  }

  /** @throws DomainError `user_not_found` @returns the user's id */
  async idOf(account: AccountName): Promise<string> {
    return (await this.find(account)).id;
  }

  private async find(account: AccountName): Promise<User> {
    const { store } = this.options;
    const user =
      'id' in account ? await store.findUser(account.id) : await store.findUserByEmailKey(emailKey(account.email));
    if (!user) throw new DomainError('user_not_found', 'User not found', 'not_found');
    return user;
  }

  /** Records the event, and returns when the user's stream contains it. */
  private async recordNow(event: UserEvent, record: (event: UserEvent) => Promise<void>): Promise<void> {
    const { facts } = this.options;
    await record(event);
    facts.announce(event.data.user_id);
    await facts.flushed();
  }
}
