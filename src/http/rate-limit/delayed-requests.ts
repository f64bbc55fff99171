import type { FastifyReply } from 'fastify';

import { delay } from '../../platform/async/delay.js';
import { clientGone, onResponseEnd } from '../response-end.js';

const DELAY_MS = 2_000;
/** Delayed at the same time, per process. */
const DELAYED_MAX = 1_000;
/** Delayed at the same time, per key: a flood on one account does not use the capacity of others. */
const DELAYED_PER_KEY_MAX = 100;

export type Sleep = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** Delays requests while their client stays connected. */
export class DelayedRequests {
  private readonly ofKey = new Map<string, number>();
  private count = 0;

  constructor(private readonly sleepFor: Sleep = (ms, signal) => delay(ms, { signal })) {}

  /** @returns true after the delay; false if too many are delayed already. @throws HttpProblem client_gone */
  async delay(key: string, reply: FastifyReply): Promise<boolean> {
    const ofKey = this.ofKey.get(key) ?? 0;
    if (this.count >= DELAYED_MAX || ofKey >= DELAYED_PER_KEY_MAX) return false;
    this.add(key, 1);
    const gone = new AbortController();
    const forget = onResponseEnd(reply, () => gone.abort());
    try {
      await this.sleepFor(DELAY_MS, gone.signal);
    } finally {
      forget();
      this.add(key, -1);
    }
    if (gone.signal.aborted) throw clientGone();
    return true;
  }

  private add(key: string, one: number): void {
    this.count += one;
    const ofKey = (this.ofKey.get(key) ?? 0) + one;
    if (ofKey === 0) this.ofKey.delete(key);
    else this.ofKey.set(key, ofKey);
  }
}
