import type { Wakeup } from '../../platform/async/wakeup.js';
import type { Delivery } from '../core/event.js';
import type { SubscriptionHandler } from './subscription-handler.js';

/** How long a few events that can wait are held for the next ones (ADR 47). */
const COALESCE_MS = 50;
/** A larger batch is not held: it is one statement for many events already. */
const COALESCE_EVENTS_MAX = 20;

interface CoalescedBatchOptions {
  /** Woken by each delivery. */
  readonly wakeup: Wakeup;
  /** The events after the checkpoint that have arrived. */
  readonly nextBatch: () => Promise<readonly Delivery[]>;
  readonly canWait: (batch: readonly Delivery[]) => boolean;
  /** Called before a batch is held. False: it is not held. */
  readonly beforeWait: (batch: readonly Delivery[]) => Promise<boolean>;
  readonly coalesceMs?: number | undefined;
  readonly signal: AbortSignal;
}

/**
 * The next batch; if all its events can wait, together with those that arrive meanwhile. Empty if nothing has arrived,
 * or after an abort.
 * @returns also what the wake-up had counted before the batch was read
 */
export async function coalescedBatch(
  options: CoalescedBatchOptions,
): Promise<{ seen: number; batch: readonly Delivery[] }> {
  const { wakeup, nextBatch, canWait, beforeWait, coalesceMs = COALESCE_MS, signal } = options;
  const until = performance.now() + coalesceMs;
  let held: readonly Delivery[] = [];
  for (;;) {
    const { seen } = wakeup;
    const batch = await nextBatch();
    // The delivery was interrupted and has forgotten them.
    if (batch.length < held.length) return { seen, batch: held };
    const waitMs = until - performance.now();
    if (waitMs <= 0 || !canWait(batch)) return { seen, batch };
    if (!(await beforeWait(batch))) return { seen, batch };
    held = batch;
    await wakeup.wait(seen, waitMs, signal);
    if (signal.aborted) return { seen, batch: [] };
  }
}

/** Events that do not concern the handler can always wait; alone, they cause no statement, and are not held. */
export function canAllWait(handler: SubscriptionHandler, batch: readonly Delivery[]): boolean {
  if (handler.canWait === undefined || batch.length > COALESCE_EVENTS_MAX) return false;
  const due = batch.filter(({ event }) => handler.concerns?.(event) ?? true);
  try {
    return due.length > 0 && due.every(({ event }) => handler.canWait!(event));
  } catch {
    // An event that cannot be read: applying it reports that.
    return false;
  }
}
