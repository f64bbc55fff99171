import { Unavailable } from '../../kernel/errors.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { RevokedSession } from '../store/identity-store.js';

/** How often the others' revocations are asked for. */
const POLL_INTERVAL_MS = 400;
/** No token is judged on knowledge older than this: a process that was held up asks first. */
const KNOWLEDGE_AGE_MS_MAX = 1_000;
/** A revocation commits a little after the moment it bears; nothing of identity takes as long as this. */
const COMMIT_DELAY_MS_MAX = 10_000;

export interface RevocationsOptions {
  readonly findRevokedSince: (since: Date) => Promise<RevokedSession[]>;
  /** A session revoked longer ago has no access token left that could be shown. */
  readonly accessTokenMs: number;
  readonly log: Log;
  readonly now?: () => number;
}

/**
 * Sessions revoked of late, as this process knows them: its own at once, others' within a second.
 * Polled, not LISTENed for: a lost notification would be a revoked token that passes, and a poll by index costs 0.1 ms.
 */
export class Revocations {
  /** Session id → when it was revoked, oldest first. */
  private readonly revoked = new Map<string, number>();
  private newestMs: number;
  private knownAtMs = -Infinity;
  private asking: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private away = false;

  constructor(private readonly options: RevocationsOptions) {
    this.newestMs = this.now() - options.accessTokenMs;
  }

  start(): void {
    this.timer = setInterval(() => void this.ask().catch(() => undefined), POLL_INTERVAL_MS).unref();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.asking?.catch(() => undefined);
  }

  /** Of this process: it need not wait to hear of it. */
  add(sessionId: string): void {
    this.revoked.set(sessionId, this.now());
  }

  /** @throws Unavailable where Postgres cannot be asked and what is known is too old */
  async isRevoked(sessionId: string): Promise<boolean> {
    if (this.now() - this.knownAtMs > KNOWLEDGE_AGE_MS_MAX) await this.ask();
    return this.revoked.has(sessionId);
  }

  private ask(): Promise<void> {
    this.asking ??= this.learn().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async learn(): Promise<void> {
    const askedAtMs = this.now();
    try {
      const found = await this.options.findRevokedSince(new Date(this.newestMs - COMMIT_DELAY_MS_MAX));
      for (const { id, revokedAt } of found) {
        const revokedAtMs = new Date(revokedAt).getTime();
        this.revoked.set(id, revokedAtMs);
        this.newestMs = Math.max(this.newestMs, revokedAtMs);
      }
      this.knownAtMs = askedAtMs;
      this.away = false;
      this.forget();
    } catch (error) {
      if (!this.away) this.options.log.warn({ err: error }, 'revoked sessions cannot be asked for');
      this.away = true;
      throw error instanceof Unavailable ? error : new Unavailable('postgres', 'no answer', { cause: error });
    }
  }

  private forget(): void {
    const before = this.now() - this.options.accessTokenMs - COMMIT_DELAY_MS_MAX;
    for (const [id, revokedAtMs] of this.revoked) {
      if (revokedAtMs >= before) return;
      this.revoked.delete(id);
    }
  }

  private now(): number {
    return (this.options.now ?? Date.now)();
  }
}
