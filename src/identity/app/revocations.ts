import { Unavailable } from '../../kernel/errors.js';
import { ignoreErrors } from '../../platform/async/ignore-errors.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { Revoked } from '../store/identity-store.js';

/** How often the revocations of other processes are polled. */
const POLL_INTERVAL_MS = 400;
/** No token is accepted on older data than this: a process that was paused polls first. */
const KNOWLEDGE_AGE_MS_MAX = 1_000;
/** A revocation commits shortly after its timestamp; no transaction of identity takes as long as this. */
const COMMIT_DELAY_MS_MAX = 10_000;
const REPORTED = 'refresh() logs the error, and isRevoked() throws it once the known data is too old';

export interface RevocationsOptions {
  readonly findRevokedSince: (since: Date) => Promise<Revoked[]>;
  /** In the log. */
  readonly of: 'sessions' | 'API keys';
  /** What was revoked longer ago is not accepted anyway: its tokens have expired, or it is read again. */
  readonly keptMs: number;
  readonly log: Log;
  readonly now?: () => number;
}

/**
 * Recently revoked sessions or API keys, as this process knows them: its own at once, those of other processes within a second.
 * Polling instead of LISTEN: a lost notification would let a revoked token pass, and an indexed poll costs 0.1 ms.
 */
export class Revocations {
  /** Id → time of revocation, oldest first. */
  private readonly revoked = new Map<string, number>();
  private newestMs: number;
  private knownAtMs = -Infinity;
  private polling: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private unavailable = false;

  constructor(private readonly options: RevocationsOptions) {
    this.newestMs = this.now() - options.keptMs;
  }

  start(): void {
    this.timer = setInterval(() => void ignoreErrors(this.poll(), REPORTED), POLL_INTERVAL_MS).unref();
  }

  /** Resolves when the last poll has ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    if (this.polling) await ignoreErrors(this.polling, REPORTED);
  }

  /** Adds a revocation by this process, which takes effect without a poll. */
  add(id: string): void {
    this.revoked.set(id, this.now());
  }

  /** @throws Unavailable if Postgres does not respond and the known data is too old */
  async isRevoked(id: string): Promise<boolean> {
    if (this.now() - this.knownAtMs > KNOWLEDGE_AGE_MS_MAX) await this.poll();
    return this.revoked.has(id);
  }

  private poll(): Promise<void> {
    this.polling ??= this.refresh().finally(() => {
      this.polling = undefined;
    });
    return this.polling;
  }

  private async refresh(): Promise<void> {
    const polledAtMs = this.now();
    try {
      const found = await this.options.findRevokedSince(new Date(this.newestMs - COMMIT_DELAY_MS_MAX));
      for (const { id, revokedAt } of found) {
        const revokedAtMs = new Date(revokedAt).getTime();
        this.revoked.set(id, revokedAtMs);
        this.newestMs = Math.max(this.newestMs, revokedAtMs);
      }
      this.knownAtMs = polledAtMs;
      this.unavailable = false;
      this.forget();
    } catch (error) {
      if (!this.unavailable) this.options.log.warn({ err: error }, `revoked ${this.options.of} cannot be read`);
      this.unavailable = true;
      throw error instanceof Unavailable ? error : new Unavailable('postgres', 'no response', { cause: error });
    }
  }

  private forget(): void {
    const before = this.now() - this.options.keptMs - COMMIT_DELAY_MS_MAX;
    for (const [id, revokedAtMs] of this.revoked) {
      if (revokedAtMs >= before) return;
      this.revoked.delete(id);
    }
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}
