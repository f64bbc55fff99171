import type { CommandBus } from '@nestjs/cqrs';

import { mapInParallel } from '../../platform/async/map-in-parallel.js';
import { AbandonDelivery } from '../domain/delivery-commands.js';
import { DisableWebhook } from '../domain/webhook-commands.js';
import { deliveryMetadata, webhookMetadata } from './delivery-metadata.js';
import type { PendingDeliveries } from './pending-deliveries.js';

const COMMANDS_AT_A_TIME = 16;
/** A webhook that has failed for this long without a success is disabled. */
export const FAILING_MS_MAX = 5 * 24 * 3_600_000;

export interface WebhookChecksOptions {
  readonly pending: Pick<PendingDeliveries, 'toDisable' | 'ofEndedWebhooks'>;
  readonly commands: Pick<CommandBus, 'execute'>;
  /** A webhook for which more deliveries wait is disabled. */
  readonly backlogMax: number;
}

/** Disables webhooks that are gone, fail or are behind, and abandons what waits for those that are disabled or deleted. */
export class WebhookChecks {
  constructor(private readonly options: WebhookChecksOptions) {}

  /**
   * @param underWay deliveries with an attempt, which are left to it: its outcome would be lost
   * @returns whether something was abandoned: there may be more
   * @throws Unavailable
   */
  async run(now: Date, underWay: readonly string[]): Promise<boolean> {
    const { pending, commands, backlogMax } = this.options;
    const toDisable = await pending.toDisable(backlogMax, new Date(now.getTime() - FAILING_MS_MAX));
    await mapInParallel(toDisable, COMMANDS_AT_A_TIME, ({ webhook_id, reason, version }) =>
      commands.execute(new DisableWebhook(webhook_id, reason, version, webhookMetadata(webhook_id))),
    );
    const ended = await pending.ofEndedWebhooks(underWay);
    await mapInParallel(ended, COMMANDS_AT_A_TIME, ({ reason, ...delivery }) =>
      commands.execute(new AbandonDelivery(delivery.id, reason, deliveryMetadata(delivery))),
    );
    return ended.length > 0;
  }
}
