import { hash, verify } from '@node-rs/argon2';

import { DomainError, Unavailable } from '../../kernel/errors.js';
import { Semaphore } from '../../platform/async/semaphore.js';
import { preparedPassword } from '../domain/password.js';

/** OWASP's password storage cheat sheet, argon2id: 19 MiB, 2 passes, 1 lane; about 20 ms of one core. */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;

/** Node has four threads, shared with DNS and file operations. */
const HASHES_AT_A_TIME_MAX = 2;
/** About a second of work; with more, clients would disconnect before they get a response. */
const HASHES_WAITING_MAX = 100;

/** Hashes normalised passwords with argon2id, and limits the number of concurrent hashes. */
export class PasswordHasher {
  private readonly semaphore = new Semaphore(HASHES_AT_A_TIME_MAX);
  private decoy: Promise<string> | undefined;

  /** @param waitingMax at least 1 */
  constructor(private readonly waitingMax = HASHES_WAITING_MAX) {}

  /** @throws Unavailable if too many are waiting; DomainError `password_too_long` */
  async hash(password: string): Promise<string> {
    const prepared = preparedPassword(password);
    if (prepared === null) throw new DomainError('password_too_long', 'Password is too long', 'invalid');
    return this.withPermit(() => hash(prepared, ARGON2ID));
  }

  /**
   * Takes the same time for an account that does not exist (`null`) as for one that does: it does the same work on a
   * hash that no password matches.
   */
  async matches(passwordHash: string | null, password: string): Promise<boolean> {
    const against = passwordHash ?? (await this.decoyHash());
    const prepared = preparedPassword(password);
    const same = await this.withPermit(() => verify(against, prepared ?? ''));
    return same && passwordHash !== null && prepared !== null;
  }

  /** Computed once, and exempt from the limit on waiting: a refusal would be cached for all later calls. */
  private decoyHash(): Promise<string> {
    return (this.decoy ??= this.semaphore.run(() => hash(crypto.randomUUID(), ARGON2ID)));
  }

  private async withPermit<T>(work: () => Promise<T>): Promise<T> {
    if (this.semaphore.queued >= this.waitingMax) throw new Unavailable('server', 'too many concurrent logins');
    return this.semaphore.run(work);
  }
}
