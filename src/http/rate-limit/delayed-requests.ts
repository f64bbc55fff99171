import { setTimeout as sleep } from 'node:timers/promises';

import type { FastifyReply } from 'fastify';

import { clientGone, onResponseEnd } from '../response-end.js';

const DELAY_MS = 2_000;
/** In a process at a time. */
const DELAYED_MAX = 1_000;
/** Of those, with one key: who floods one account does not use up what others need. */
const DELAYED_PER_KEY_MAX = 100;

export type Sleep = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** Requests that are held up, for as long as their client is there. */
export class DelayedRequests {
  private readonly ofKey = new Map<string, number>();
  private count = 0;

  constructor(private readonly sleepFor: Sleep = (ms, signal) => sleep(ms, undefined, { signal })) {}

  /** @returns whether it was held up; false: too many are already. @throws HttpProblem client_gone */
  async delay(key: string, reply: FastifyReply): Promise<boolean> {
    const ofKey = this.ofKey.get(key) ?? 0;
    if (this.count >= DELAYED_MAX || ofKey >= DELAYED_PER_KEY_MAX) return false;
    this.add(key, 1);
    const gone = new AbortController();
    const forget = onResponseEnd(reply, () => gone.abort());
    try {
      await this.sleepFor(DELAY_MS, gone.signal);
    } catch (error) {
      if (!gone.signal.aborted) throw error;
      throw clientGone();
    } finally {
      forget();
      this.add(key, -1);
    }
    return true;
  }

  private add(key: string, one: number): void {
    this.count += one;
    const ofKey = (this.ofKey.get(key) ?? 0) + one;
    if (ofKey === 0) this.ofKey.delete(key);
    else this.ofKey.set(key, ofKey);
  }
}
