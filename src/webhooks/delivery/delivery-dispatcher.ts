import type { CommandBus } from '@nestjs/cqrs';

import type { Decided } from '../../event-sourcing/core/decision-runner.js';
import { Unavailable } from '../../kernel/errors.js';
import { delay } from '../../platform/async/delay.js';
import { mapInParallel } from '../../platform/async/map-in-parallel.js';
import { Wakeup } from '../../platform/async/wakeup.js';
import { isOutage } from '../../platform/postgres/outage.js';
import type { Log } from '../../platform/telemetry/log.js';
import { AbandonDelivery, RecordAttempt } from '../domain/delivery-commands.js';
import { GONE } from '../domain/delivery-decider.js';
import { DisableWebhook } from '../domain/webhook-commands.js';
import type { DeliveryAttempt } from './delivery-attempt.js';
import { DeliverySlots } from './delivery-slots.js';
import { deliveryMetadata, webhookMetadata } from './delivery-metadata.js';
import type { DueDelivery, PendingDeliveries } from './pending-deliveries.js';

/** A retry starts at most this long after it is due. */
const POLL_MS_MAX = 1_000;
/** Between looks at webhooks that are to be disabled, and at what waits for those that are. */
const CHECK_INTERVAL_MS = 5_000;
const ABANDONED_AT_A_TIME = 16;
/** A webhook that has failed for this long without a success is disabled. */
export const FAILING_MS_MAX = 5 * 24 * 3_600_000;
const OUTAGE_PAUSE_MS = 1_000;

export interface DispatcherOptions {
  readonly pending: PendingDeliveries;
  readonly attempts: DeliveryAttempt;
  readonly commands: Pick<CommandBus, 'execute'>;
  /** A webhook for which more deliveries wait is disabled. */
  readonly backlogMax: number;
  readonly log: Log;
  readonly now?: () => Date;
}

/**
 * Makes the attempts that are due, while its process leads the subscription of webhooks. An attempt that was made and
 * not recorded (the process ended in between) is made again, with the same id.
 */
export class DeliveryDispatcher {
  private readonly slots = new DeliverySlots();
  private readonly wakeup = new Wakeup();
  private readonly running = new Set<Promise<void>>();
  private readonly now: () => Date;
  private checkedMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: DispatcherOptions) {
    this.now = options.now ?? (() => new Date());
  }

  /** There may be something new to do. */
  wake(): void {
    this.wakeup.wake();
  }

  /**
   * The tables have changed.
   * @param deliveryIds whose last attempts they show
   * @param webhooksChanged whether a webhook may have been disabled or deleted
   */
  applied(deliveryIds: readonly string[], webhooksChanged: boolean): void {
    for (const id of deliveryIds) this.slots.free(id);
    if (webhooksChanged) this.checkedMs = Number.NEGATIVE_INFINITY;
    this.wakeup.wake();
  }

  /** @param leads whether this process leads. Ends when the signal aborts and its attempts have ended. Never throws */
  async run(leads: () => boolean, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { seen } = this.wakeup;
      try {
        if (leads()) await this.round(signal);
      } catch (error) {
        if (!(error instanceof Unavailable || isOutage(error)))
          this.options.log.error({ err: error }, 'webhooks failed');
        await delay(OUTAGE_PAUSE_MS, { signal });
      }
      await this.wakeup.wait(seen, POLL_MS_MAX, signal);
    }
    await Promise.all(this.running);
  }

  /** Starts all attempts that are due and for which there is room. @throws Unavailable */
  async round(signal: AbortSignal): Promise<void> {
    if (performance.now() - this.checkedMs >= CHECK_INTERVAL_MS) await this.check();
    let lane: string | null = null;
    do {
      const page: Awaited<ReturnType<PendingDeliveries['due']>> = await this.options.pending.due(
        lane,
        this.now(),
        this.slots.ids(),
      );
      for (const delivery of page.deliveries) this.start(delivery, signal);
      lane = page.lane;
    } while (lane !== null && !signal.aborted);
  }

  private start(delivery: DueDelivery, signal: AbortSignal): void {
    const { id, lane, owner_id: ownerId, attempts, is_failing: isFailing } = delivery;
    if (this.slots.has(id) || !this.slots.take({ id, lane, ownerId, isRetry: attempts > 0, isFailing })) return;
    const attempt = this.attempt(delivery, signal).finally(() => this.running.delete(attempt));
    this.running.add(attempt);
  }

  /** The slot is free once the table shows the outcome; if nothing was recorded, at once. Never throws. */
  private async attempt(delivery: DueDelivery, signal: AbortSignal): Promise<void> {
    const { id, webhook_id } = delivery;
    let recorded = false;
    try {
      const outcome = await this.options.attempts.make(delivery, this.now, signal);
      if (outcome === null) return;
      const metadata = deliveryMetadata(delivery);
      const command =
        outcome === 'erased'
          ? new AbandonDelivery(id, 'erased', metadata)
          : new RecordAttempt(id, delivery.attempts + 1, outcome, metadata);
      recorded = await this.record(command);
      const isGone = outcome !== 'erased' && outcome.statusCode === GONE;
      if (isGone && webhook_id !== null)
        await this.record(new DisableWebhook(webhook_id, 'gone', webhookMetadata(webhook_id)));
    } catch (error) {
      if (error instanceof Unavailable || isOutage(error)) return;
      this.options.log.error({ err: error, delivery_id: id }, 'webhook attempt failed');
    } finally {
      if (!recorded) this.slots.free(id);
    }
  }

  /** Those with an attempt under way are left to it: its outcome would be lost. */
  private async abandonEnded(): Promise<void> {
    const ended = await this.options.pending.ofEndedWebhooks();
    await mapInParallel(
      ended.filter(({ id }) => !this.slots.has(id)),
      ABANDONED_AT_A_TIME,
      ({ reason, ...delivery }) => this.record(new AbandonDelivery(delivery.id, reason, deliveryMetadata(delivery))),
    );
    // What was abandoned is on its way to the table; the rest follows.
    if (ended.length > 0) this.checkedMs = Number.NEGATIVE_INFINITY;
  }

  /** Disables webhooks, and abandons what waits for those that are disabled or deleted. */
  private async check(): Promise<void> {
    const failingSince = new Date(this.now().getTime() - FAILING_MS_MAX);
    const toDisable = await this.options.pending.toDisable(this.options.backlogMax, failingSince);
    for (const { webhook_id, reason } of toDisable) {
      await this.record(new DisableWebhook(webhook_id, reason, webhookMetadata(webhook_id)));
    }
    this.checkedMs = performance.now();
    await this.abandonEnded();
  }

  /** @returns whether an event was recorded */
  private async record(command: RecordAttempt | AbandonDelivery | DisableWebhook): Promise<boolean> {
    const { position } = await this.options.commands.execute<typeof command, Decided<void>>(command);
    return position !== null;
  }
}
