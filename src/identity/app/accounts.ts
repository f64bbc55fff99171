import type { EventMetadata } from '../../event-sourcing/core/event.js';
import type { SessionIdentity } from '../../http/request-context.js';
import { DomainError } from '../../kernel/errors.js';
import { deterministicId, newId } from '../../kernel/uuid.js';
import { emailKey } from '../domain/email.js';
import {
  LoginRefused,
  PasswordChanged,
  PasswordChangeRefused,
  RefreshTokenRepeated,
  RefreshTokenReused,
  UserLoggedIn,
  UserLoggedOut,
  UserLoggedOutEverywhere,
  UserRegistered,
} from '../domain/user-events.js';
import type { Session, User } from '../store/entities.js';
import type { FactToRecord } from '../store/identity-database.js';
import type { IdentityStore } from '../store/identity-store.js';
import type { Account, NewAccount, NewAccounts } from './new-account.js';
import type { PasswordHasher } from './password-hasher.js';
import type { Revocations } from './revocations.js';
import type { SecurityFacts } from './security-facts.js';
import { invalidToken, refreshHashOf, type Tokens } from './tokens.js';

export interface AccountsOptions {
  readonly store: IdentityStore;
  readonly hasher: PasswordHasher;
  readonly newAccounts: NewAccounts;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly facts: SecurityFacts;
  /** How long the most recently exchanged refresh token may be used again. */
  readonly refreshGraceMs: number;
}

/** The result of registering, logging in or refreshing. */
export interface Grant {
  readonly user: Account;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessTokenMs: number;
}

/** Makes the metadata of a fact. The user id is null before a login succeeds, when the actor is not known. */
export type MetadataFor = (userId: string | null) => EventMetadata;

/** Accounts and sessions. Every method may throw Unavailable. */
export class Accounts {
  constructor(private readonly options: AccountsOptions) {}

  /** @throws DomainError `email_taken` */
  async register(account: NewAccount, metadataFor: MetadataFor): Promise<Grant> {
    const { newAccounts } = this.options;
    const user = await newAccounts.make(account, false);
    const metadata = metadataFor(user.id);
    const { session, grant } = this.newSession(user);
    await newAccounts.insert(user, session, [
      { event: UserRegistered({ user_id: user.id }), metadata },
      { event: UserLoggedIn({ user_id: user.id, session_id: session.id }), metadata },
    ]);
    return grant;
  }

  /** @throws DomainError `invalid_credentials`, after the same time for an unknown email as for a wrong password */
  async login(credentials: { email: string; password: string }, metadataFor: MetadataFor): Promise<Grant> {
    const user = await this.options.store.findUserByEmailKey(emailKey(credentials.email));
    if (!(await this.options.hasher.matches(user?.passwordHash ?? null, credentials.password)) || !user) {
      if (user) this.recordRefusal(user.id, metadataFor(null));
      throw invalidCredentials();
    }
    const { session, grant } = this.newSession(user);
    const event = UserLoggedIn({ user_id: user.id, session_id: session.id });
    const facts = [{ event, metadata: metadataFor(user.id) }];
    if (!(await this.options.store.insertSession(session, user.passwordHash, facts))) throw invalidCredentials();
    this.options.facts.announce(user.id);
    return grant;
  }

  /**
   * Exchanges a refresh token for new tokens of the same session. The most recently exchanged token may be used again
   * for some seconds, and gets the same successor. Any other use of an exchanged token means that two parties have it.
   * The thief cannot be identified, so the session ends (RFC 9700, section 4.14.2; ADR 23).
   * @throws DomainError `invalid_token`
   */
  async refresh(refreshToken: string, metadataFor: MetadataFor): Promise<Grant> {
    const { sub: userId, sid: sessionId } = this.options.tokens.readRefresh(refreshToken);
    const user = await this.options.store.findUser(userId);
    if (!user) throw invalidToken();
    const presented = refreshHashOf(refreshToken);
    const { session, grant } = this.newSession(user, { id: sessionId, follows: presented });
    if (await this.options.store.rotate(sessionId, presented, session)) return grant;
    const repeated = await this.repeatedGrant(user, sessionId, presented);
    if (repeated) {
      const event = RefreshTokenRepeated({ user_id: userId, session_id: sessionId });
      await this.options.store.recordFact(userId, { event, metadata: metadataFor(null) });
      this.options.facts.announce(userId);
      return repeated;
    }
    await this.endIfReused({ id: sessionId, userId }, metadataFor(null));
    throw invalidToken();
  }

  /** Ends the session: revokes its access tokens and its refresh tokens. Idempotent. */
  async logout(caller: SessionIdentity, metadata: EventMetadata): Promise<void> {
    const { userId, sessionId } = caller;
    const event = UserLoggedOut({ user_id: userId, session_id: sessionId });
    await this.revoke({ id: sessionId, userId }, { event, metadata });
  }

  /** Ends every session of the caller, including this one. Idempotent. */
  async logoutEverywhere({ userId, sessionId }: SessionIdentity, metadata: EventMetadata): Promise<void> {
    const ended = await this.options.store.revokeSessions(userId, (sessions_ended) => ({
      event: UserLoggedOutEverywhere({ user_id: userId, session_id: sessionId, sessions_ended }),
      metadata,
    }));
    this.revoked(userId, ended);
  }

  /**
   * Changes the password, and ends every session of the caller except this one.
   * @throws DomainError `wrong_password`, or `invalid_token` if the account does not exist
   */
  async changePassword(
    { userId, sessionId }: SessionIdentity,
    { current, next }: { current: string; next: string },
    metadata: EventMetadata,
  ): Promise<void> {
    const { store, hasher } = this.options;
    const { passwordHash: from } = await this.me(userId);
    const about = { user_id: userId, session_id: sessionId };
    const fact = (sessions_ended: number) => ({ event: PasswordChanged({ ...about, sessions_ended }), metadata });
    const ended = (await hasher.matches(from, current))
      ? await store.changePassword({ userId, sessionId }, { from, to: await hasher.hash(next) }, fact)
      : null;
    if (ended === null) {
      await store.recordFact(userId, { event: PasswordChangeRefused(about), metadata });
      this.options.facts.announce(userId);
      // Not a 401: a client would treat its access token as invalid, and log its user out.
      throw new DomainError('wrong_password', 'Current password is wrong', 'forbidden');
    }
    this.revoked(userId, ended);
  }

  /** @throws DomainError `invalid_token` if the account does not exist */
  async me(userId: string): Promise<User> {
    const user = await this.options.store.findUser(userId);
    if (!user) throw invalidToken();
    return user;
  }

  /**
   * @param id of a session that continues
   * @param follows hash of the exchanged refresh token: for the same hash and time, the new token is always the same
   */
  private newSession(
    user: Account,
    { id = newId(), follows, now = Date.now() }: { id?: string; follows?: Buffer; now?: number } = {},
  ): { session: Session; grant: Grant } {
    const { tokens } = this.options;
    const of = { userId: user.id, sessionId: id, isAdmin: user.isAdmin };
    const refreshToken = tokens.signRefresh(of, follows ? successorId(follows) : newId(), now);
    return {
      session: {
        id,
        userId: user.id,
        refreshHash: refreshHashOf(refreshToken),
        previousHash: null,
        rotatedAt: null,
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

  /** Recreates the grant of the last exchange; null if that exchanged another token, or the grace time is over. */
  private async repeatedGrant(user: Account, sessionId: string, presented: Buffer): Promise<Grant | null> {
    const { store, tokens, refreshGraceMs } = this.options;
    const current = await store.findRotatedFrom(sessionId, presented, refreshGraceMs);
    if (!current) return null;
    const now = current.expiresAt.getTime() - tokens.refreshTokenMs;
    const { session, grant } = this.newSession(user, { id: sessionId, follows: presented, now });
    // The tokens differ if the settings have changed: the client must log in again, but no session is revoked.
    if (!session.refreshHash.equals(current.refreshHash)) throw invalidToken();
    return grant;
  }

  /** The token's signature is valid and it is not the session's current token, so it is an older one. */
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

  private revoked(userId: string, sessionIds: readonly string[]): void {
    for (const id of sessionIds) this.options.revocations.add(id);
    this.options.facts.announce(userId);
  }

  /** In the background: the response time must not reveal that the account exists. */
  private recordRefusal(userId: string, metadata: EventMetadata): void {
    this.options.facts.record(userId, { event: LoginRefused({ user_id: userId, reason: 'wrong_password' }), metadata });
  }
}

const invalidCredentials = (): DomainError =>
  new DomainError('invalid_credentials', 'Invalid email or password', 'unauthorized');

/** Without the signing key, nobody can derive the token from this id. */
const successorId = (follows: Buffer): string => deterministicId('refresh token after', follows.toString('hex'));
