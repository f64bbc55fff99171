import { LRUCache } from 'lru-cache';

import type { RateDecision } from './rate-limiter.js';

/** What is known of a key is good for as long. */
const KNOWN_FOR_MS = 1_000;
/** A process lets this part of a limit through before it counts it with the others. */
const UNCOUNTED_SHARE = 0.01;
/** In the last part of a limit everything is counted at once, so that the limit is exact where it matters. */
const EXACT_SHARE = 0.1;
const KEYS_MAX = 10_000;

interface Known {
  readonly decision: RateDecision;
  readonly atMs: number;
  uncounted: number;
}

/**
 * Requests that a process lets through on what it knew a moment ago, and counts with the next question to Redis.
 * A question costs half a millisecond of CPU and as much again of waiting, more than all else around a read; this way
 * a busy reader asks once in 60 requests. The price: a limit may be passed by 1 % per process, at most.
 */
export class LocalQuota {
  private readonly known = new LRUCache<string, Known>({ max: KEYS_MAX });

  /** A decision without asking, or undefined where Redis has to be asked. */
  tryTake(name: string, nowMs: number): RateDecision | undefined {
    const known = this.known.get(name);
    if (!known || nowMs - known.atMs > KNOWN_FOR_MS) return undefined;
    const { decision, uncounted } = known;
    const remaining = decision.remaining - uncounted - 1;
    if (uncounted + 1 > decision.limit * UNCOUNTED_SHARE || remaining < decision.limit * EXACT_SHARE) return undefined;
    known.uncounted += 1;
    return { ...decision, remaining };
  }

  /** Whoever asks takes them along. */
  takeUncounted(name: string): number {
    const known = this.known.get(name);
    if (!known) return 0;
    const { uncounted } = known;
    known.uncounted = 0;
    return uncounted;
  }

  learn(name: string, decision: RateDecision, nowMs: number): void {
    const uncounted = this.known.get(name)?.uncounted ?? 0;
    this.known.set(name, { decision, atMs: nowMs, uncounted });
  }
}
