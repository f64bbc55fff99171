import { DomainError } from '../../kernel/errors.js';
import { newId } from '../../kernel/uuid.js';
import { emailKey } from '../domain/email.js';
import type { Session, User } from '../store/entities.js';
import { AlreadyTaken, type FactToRecord } from '../store/identity-database.js';
import type { IdentityStore } from '../store/identity-store.js';
import type { PasswordHasher } from './password-hasher.js';
import type { SecurityFacts } from './security-facts.js';

export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

export type Account = Omit<User, 'factCount'>;

/** Creates accounts, for users and operators. Every method may throw Unavailable, and DomainError `email_taken`. */
export class NewAccounts {
  constructor(
    private readonly store: IdentityStore,
    private readonly hasher: PasswordHasher,
    private readonly facts: SecurityFacts,
  ) {}

  /** Makes an account without storing it. */
  async make(account: NewAccount, isAdmin: boolean): Promise<Account> {
    const key = emailKey(account.email);
    // Saves the 20 ms of the hash; the unique index decides.
    if (await this.store.findUserByEmailKey(key)) throw emailTaken();
    const now = new Date();
    return {
      id: newId(),
      email: account.email.trim(),
      emailKey: key,
      name: account.name,
      passwordHash: await this.hasher.hash(account.password),
      isAdmin,
      createdAt: now,
      updatedAt: now,
    };
  }

  async insert(user: Account, session: Session | null, facts: readonly FactToRecord[]): Promise<void> {
    try {
      await this.store.insertUser(user, session, facts);
    } catch (error) {
      throw error instanceof AlreadyTaken ? emailTaken() : error;
    }
    this.facts.announce(user.id);
  }
}

const emailTaken = (): DomainError => new DomainError('email_taken', 'User with this email already exists', 'conflict');
