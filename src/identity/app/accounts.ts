import { DomainError } from '../../kernel/errors.js';
import type { EventMetadata } from '../../kernel/event.js';
import { newId } from '../../kernel/uuid.js';
import type { CallerIdentity } from '../../platform/http/request-context.js';
import { emailKey } from '../domain/email.js';
import { AdminGranted, AdminRevoked, UserRegistered } from '../domain/user-events.js';
import { LoginRefused, RefreshTokenReused, UserLoggedIn, UserLoggedOut } from '../domain/user-events.js';
import type { Session, User } from '../store/entities.js';
import { AlreadyTaken, type FactToRecord, type IdentityStore } from '../store/identity-store.js';
import type { PasswordHasher } from './password-hasher.js';
import type { Revocations } from './revocations.js';
import type { SecurityFacts } from './security-facts.js';
import { invalidToken, refreshHashOf, type Tokens } from './tokens.js';

export interface AccountsOptions {
  readonly store: IdentityStore;
  readonly hasher: PasswordHasher;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly facts: SecurityFacts;
}

export interface NewAccount {
  readonly email: string;
  readonly password: string;
  readonly name: string;
}

type Account = Omit<User, 'factCount'>;

/** What a person holds after registering, logging in or refreshing. */
export interface Grant {
  readonly user: Account;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenMs: number;
}

/** Makes the metadata of a fact, once it is known who acted: nobody, before a login succeeds. */
export type MetadataFor = (userId: string | null) => EventMetadata;

/** Accounts and sessions. All of it may throw Unavailable. */
export class Accounts {
  constructor(private readonly options: AccountsOptions) {}

  /** @throws DomainError `email_taken` */
  async register(account: NewAccount, metadataFor: MetadataFor): Promise<Grant> {
    const user = await this.newUser(account, false);
    const metadata = metadataFor(user.id);
    const { session, grant } = this.newSession(user);
    await this.insert(user, session, [
      { event: UserRegistered({ user_id: user.id }), metadata },
      { event: UserLoggedIn({ user_id: user.id, session_id: session.id }), metadata },
    ]);
    return grant;
  }

  /** @throws DomainError `invalid_credentials`, after the same time for an unknown email as for a wrong password */
  async login(credentials: { email: string; password: string }, metadataFor: MetadataFor): Promise<Grant> {
    const user = await this.options.store.findUserByEmailKey(emailKey(credentials.email));
    if (!(await this.options.hasher.matches(user?.passwordHash ?? null, credentials.password)) || !user) {
      if (user) this.tellRefused(user.id, metadataFor(null));
      throw new DomainError('invalid_credentials', 'Invalid email or password', 'unauthorized');
    }
    const { session, grant } = this.newSession(user);
    const event = UserLoggedIn({ user_id: user.id, session_id: session.id });
    await this.options.store.insertSession(session, [{ event, metadata: metadataFor(user.id) }]);
    this.options.facts.announce(user.id);
    return grant;
  }

  /**
   * Exchanges a refresh token for new tokens of the same session; each can be used once. A second use means that two
   * have it, and nobody knows which one is the thief: the session ends (RFC 9700, section 4.14.2).
   * @throws DomainError `invalid_token`
   */
  async refresh(refreshToken: string, metadataFor: MetadataFor): Promise<Grant> {
    const { sub: userId, sid: sessionId } = this.options.tokens.readRefresh(refreshToken);
    const user = await this.options.store.findUser(userId);
    if (!user) throw invalidToken();
    const { session, grant } = this.newSession(user, sessionId);
    if (await this.options.store.rotate(sessionId, refreshHashOf(refreshToken), session)) return grant;
    await this.endIfReused({ id: sessionId, userId }, metadataFor(null));
    throw invalidToken();
  }

  /** Ends the session: its access tokens and its refresh tokens. May be repeated. */
  async logout(caller: CallerIdentity, metadata: EventMetadata): Promise<void> {
    const { userId, sessionId } = caller;
    const event = UserLoggedOut({ user_id: userId, session_id: sessionId });
    await this.revoke({ id: sessionId, userId }, { event, metadata });
  }

  /** @throws DomainError `invalid_token` where the account is gone */
  async me(userId: string): Promise<User> {
    const user = await this.options.store.findUser(userId);
    if (!user) throw invalidToken();
    return user;
  }

  /** For the command line: HTTP never makes an admin. @throws DomainError `email_taken` @returns the user's id */
  async createAdmin(account: NewAccount, metadata: EventMetadata): Promise<string> {
    const user = await this.newUser(account, true);
    await this.insert(user, null, [
      { event: UserRegistered({ user_id: user.id }), metadata },
      { event: AdminGranted({ user_id: user.id }), metadata },
    ]);
    await this.options.facts.settled();
    return user.id;
  }

  /** For the command line. Granting shows in the next tokens; taking it away ends every session of the user. */
  async setAdmin(email: string, isAdmin: boolean, metadata: EventMetadata): Promise<string> {
    const user = await this.options.store.findUserByEmailKey(emailKey(email));
    if (!user) throw new DomainError('user_not_found', 'User not found', 'not_found');
    if (user.isAdmin === isAdmin) return user.id;
    const event = isAdmin ? AdminGranted({ user_id: user.id }) : AdminRevoked({ user_id: user.id });
    await this.options.store.setAdmin(user.id, isAdmin, { event, metadata });
    this.options.facts.announce(user.id);
    await this.options.facts.settled();
    return user.id;
  }

  private async newUser(account: NewAccount, isAdmin: boolean): Promise<Account> {
    const key = emailKey(account.email);
    // Saves the hash's 20 ms; the unique index is what decides.
    if (await this.options.store.findUserByEmailKey(key)) throw emailTaken();
    const now = new Date();
    return {
      id: newId(),
      email: account.email.trim(),
      emailKey: key,
      name: account.name,
      passwordHash: await this.options.hasher.hash(account.password),
      isAdmin,
      createdAt: now,
      updatedAt: now,
    };
  }

  private async insert(user: Account, session: Session | null, facts: readonly FactToRecord[]): Promise<void> {
    try {
      await this.options.store.insertUser(user, session, facts);
    } catch (error) {
      throw error instanceof AlreadyTaken ? emailTaken() : error;
    }
    this.options.facts.announce(user.id);
  }

  private newSession(user: Account, id = newId()): { session: Session; grant: Grant } {
    const { tokens } = this.options;
    const of = { userId: user.id, sessionId: id, isAdmin: user.isAdmin };
    const refreshToken = tokens.signRefresh(of);
    const now = Date.now();
    return {
      session: {
        id,
        userId: user.id,
        refreshHash: refreshHashOf(refreshToken),
        createdAt: new Date(now),
        expiresAt: new Date(now + tokens.refreshTokenMs),
        revokedAt: null,
      },
      grant: {
        user,
        accessToken: tokens.signAccess(of),
        refreshToken,
        accessTokenMs: tokens.accessTokenMs,
      },
    };
  }

  /** We signed the token, and it is not the session's current one: so it is an older one. */
  private async endIfReused(session: { id: string; userId: string }, metadata: EventMetadata): Promise<void> {
    const found = await this.options.store.findSession(session.id);
    if (!found || found.revokedAt || found.expiresAt.getTime() <= Date.now()) return;
    const event = RefreshTokenReused({ user_id: session.userId, session_id: session.id });
    await this.revoke(session, { event, metadata });
  }

  private async revoke(session: { id: string; userId: string }, fact: FactToRecord): Promise<void> {
    const revokedNow = await this.options.store.revokeSession(session, fact);
    this.options.revocations.add(session.id);
    if (revokedNow) this.options.facts.announce(session.userId);
  }

  /** Behind the answer's back: its time must not tell that the account exists. */
  private tellRefused(userId: string, metadata: EventMetadata): void {
    this.options.facts.tell(userId, { event: LoginRefused({ user_id: userId, reason: 'wrong_password' }), metadata });
  }
}

const emailTaken = (): DomainError => new DomainError('email_taken', 'User with this email already exists', 'conflict');
