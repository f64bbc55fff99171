import type { CommandBus } from '@nestjs/cqrs';
import { LRUCache } from 'lru-cache';

import type { Decided } from '../../event-sourcing/core/decision-runner.js';
import { Unavailable } from '../../kernel/errors.js';
import { delay } from '../../platform/async/delay.js';
import { retryOutage } from '../../platform/async/retry-outage.js';
import { Wakeup } from '../../platform/async/wakeup.js';
import { isOutage } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import { AbandonDelivery, type AttemptOutcome, RecordAttempt } from '../domain/delivery-commands.js';
import type { DeliveryAttempt } from './delivery-attempt.js';
import { deliveryMetadata } from './delivery-metadata.js';
import { DeliverySlots } from './delivery-slots.js';
import { LanesToVisit } from './lanes-to-visit.js';
import type { DueDelivery, PendingDeliveries } from './pending-deliveries.js';
import type { WebhookChecks } from './webhook-checks.js';

/** Between looks at whether this process leads. */
const LEAD_POLL_MS = 1_000;
/** Between looks at webhooks that are to be disabled, and at what waits for those that are. */
const CHECK_INTERVAL_MS = 5_000;
const OUTAGE_PAUSE_MS = 1_000;
/** What cannot be sent because of a fault of this service is put aside, and does not hold up its lane. */
const FAULT_PAUSE_MS = 60_000;
const FAULTS_MAX = 1_000;
/** A receiver that took longer the last time is a slow one. */
const SLOW_MS = 2_000;
const SLOW_LANES_MAX = 10_000;

export interface DispatcherOptions {
  readonly pending: Pick<PendingDeliveries, 'due' | 'dueIn'>;
  readonly attempts: Pick<DeliveryAttempt, 'make'>;
  readonly checks: Pick<WebhookChecks, 'run'>;
  readonly commands: Pick<CommandBus, 'execute'>;
  readonly log: Log;
  readonly now?: () => Date;
  /** Milliseconds that pass, whatever happens to the clock. */
  readonly elapsedMs?: () => number;
}

/** A delivery whose row has changed. */
export interface ChangedDelivery {
  readonly id: string;
  /** Null if it is not known. */
  readonly lane: string | null;
}

/**
 * Makes the attempts that are due, while its process leads the subscription of webhooks. An attempt that was made and
 * not recorded (the process ended in between) is made again, with the same id.
 */
export class DeliveryDispatcher {
  private readonly slots = new DeliverySlots();
  private readonly lanes = new LanesToVisit();
  private readonly wakeup = new Wakeup();
  private readonly running = new Map<string, Promise<void>>();
  private readonly faulty = new LRUCache<string, true>({ max: FAULTS_MAX, ttl: FAULT_PAUSE_MS });
  private readonly slowLanes = new LRUCache<string, true>({ max: SLOW_LANES_MAX });
  private readonly now: () => Date;
  private readonly elapsedMs: () => number;
  /** Counts the times that this process began to lead. */
  private term = 0;
  private checkAt = 0;

  constructor(private readonly options: DispatcherOptions) {
    this.now = options.now ?? (() => new Date());
    this.elapsedMs = options.elapsedMs ?? (() => performance.now());
  }

  /**
   * The tables have changed.
   * @param deliveries whose rows show their last attempts
   * @param check whether a webhook may have to be disabled, or has been disabled, enabled or deleted
   */
  applied(deliveries: readonly ChangedDelivery[], check: boolean): void {
    for (const { id, lane } of deliveries) {
      this.free(id);
      this.change(lane);
    }
    if (check) {
      this.checkAt = 0;
      this.change(null);
    }
    this.wakeup.wake();
  }

  /** This process begins to lead, perhaps again: another one may have changed the tables in between. */
  forget(): void {
    this.term += 1;
    // What it waits to see applied, the other one may have applied.
    for (const id of this.slots.ids()) if (!this.running.has(id)) this.free(id);
    this.checkAt = 0;
    this.change(null);
    this.wakeup.wake();
  }

  /** @param leads whether this process leads. Ends when the signal aborts and its attempts have ended. Never throws */
  async run(leads: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { seen } = this.wakeup;
      let waitMs = LEAD_POLL_MS;
      try {
        if (leads()) {
          await this.round(signal);
          waitMs = this.lanes.allInMs(this.elapsedMs());
        }
      } catch (error) {
        this.report(error, 'webhooks failed');
        await delay(OUTAGE_PAUSE_MS, { signal });
      }
      await this.wakeup.wait(seen, waitMs, signal);
    }
    await Promise.all(this.running.values());
  }

  /** Starts all attempts that are due and for which there is room. @throws Unavailable */
  async round(signal: AbortSignal): Promise<void> {
    try {
      await this.visit(signal);
    } catch (error) {
      // Some lanes were not visited, and are no longer known.
      this.change(null);
      throw error;
    }
  }

  private async visit(signal: AbortSignal): Promise<void> {
    const { pending, checks } = this.options;
    const at = this.elapsedMs();
    for (const lanes of this.lanes.take()) this.start(await pending.dueIn(lanes, this.now(), this.excepted()), signal);
    if (at >= this.checkAt) {
      const hasMore = await checks.run(this.now(), [...this.running.keys()]);
      // At once after the next change: of what was abandoned now.
      this.checkAt = hasMore ? 0 : at + CHECK_INTERVAL_MS;
    }
    if (this.lanes.allInMs(at) > 0) return;
    const beganAt = this.elapsedMs();
    this.lanes.visitAll(beganAt);
    let lane: string | null = null;
    do {
      const page: Awaited<ReturnType<PendingDeliveries['due']>> = await pending.due(lane, this.now(), this.excepted());
      this.start(page.deliveries, signal);
      if (page.lanes > 0) this.lanes.waiting(beganAt);
      lane = page.lane;
    } while (lane !== null && !signal.aborted);
    this.lanes.visitedAll(beganAt, this.elapsedMs());
  }

  /** Those that a look-up of due ones would find although they cannot be started. */
  private excepted(): string[] {
    return [...new Set([...this.slots.ids(), ...this.running.keys(), ...this.faulty.keys()])];
  }

  private start(deliveries: readonly DueDelivery[], signal: AbortSignal): void {
    for (const delivery of deliveries) {
      const { id, lane, owner_id: ownerId, attempts, is_failing: isFailing } = delivery;
      if (signal.aborted || this.slots.has(id) || this.running.has(id)) continue;
      const isSlow = attempts > 0 || this.slowLanes.has(lane);
      const slot = this.slots.take({ id, lane, ownerId, isFailing, isSlow });
      if (slot === 'taken') this.running.set(id, this.attempt(delivery, signal));
      // When its own lane has room again, the lane has changed.
      else if (slot !== 'lane') this.lanes.refuse(lane);
    }
  }

  /** The slot is free once the table shows the outcome; if nothing was recorded, at once. Never throws. */
  private async attempt(delivery: DueDelivery, signal: AbortSignal): Promise<void> {
    const { id, lane } = delivery;
    const { term } = this;
    let recorded = false;
    try {
      const outcome = await this.options.attempts.make(delivery, this.now, signal);
      if (outcome === null) return;
      if (outcome !== 'erased') this.learn(lane, outcome);
      recorded = await retryOutage(() => this.record(delivery, outcome), signal);
    } catch (error) {
      if (this.report(error, 'webhook attempt failed', id)) this.faulty.set(id, true);
    } finally {
      this.running.delete(id);
      if (!recorded || term !== this.term) this.free(id);
      this.wakeup.wake();
    }
  }

  private learn(lane: string, { durationMs }: AttemptOutcome): void {
    if (durationMs >= SLOW_MS) this.slowLanes.set(lane, true);
    else this.slowLanes.delete(lane);
  }

  /** @returns whether an event was recorded: not if another process recorded the attempt first */
  private async record(delivery: DueDelivery, outcome: AttemptOutcome | 'erased'): Promise<boolean> {
    const metadata = deliveryMetadata(delivery);
    const command =
      outcome === 'erased'
        ? new AbandonDelivery(delivery.id, 'erased', metadata)
        : new RecordAttempt(delivery.id, delivery.attempts + 1, outcome, metadata);
    const { position } = await this.options.commands.execute<typeof command, Decided<void>>(command);
    return position !== null;
  }

  private change(lane: string | null): void {
    this.lanes.change(lane, this.elapsedMs());
  }

  private free(id: string): void {
    if (this.slots.free(id)) this.lanes.freed();
  }

  /** @returns whether it is a fault; outages are reported elsewhere */
  private report(error: unknown, message: string, delivery_id?: string): boolean {
    if (error instanceof Unavailable || isOutage(error)) return false;
    this.options.log.error({ err: error, delivery_id }, message);
    return true;
  }
}
