import type { INestApplicationContext } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';

import { DeliveryAttempt } from '../webhooks/delivery/delivery-attempt.js';
import { DeliveryDispatcher } from '../webhooks/delivery/delivery-dispatcher.js';
import { PendingDeliveries } from '../webhooks/delivery/pending-deliveries.js';
import { WebhookChecks } from '../webhooks/delivery/webhook-checks.js';
import { WebhookSender } from '../webhooks/delivery/webhook-sender.js';
import { WebhookSubscription } from '../webhooks/delivery/webhook-subscription.js';
import { SystemHostAddresses } from '../webhook-endpoints/host-addresses.js';
import type { Infrastructure } from './infrastructure.js';
import { messageFormats } from './message-formats.js';
import { WEBHOOKS } from './postgres-options.js';
import { loopRole, type RoleProcess } from './role-process.js';
import { createSubscription } from './subscriptions.js';
import { VERSION } from './version.js';
import { urlRulesOf } from './webhook-rules.js';

/** Sends what happens to executions to the webhooks of their owners. */
export function createWebhooksRole(infra: Infrastructure, context: INestApplicationContext): RoleProcess {
  const { config, log, pool, observations, endpointSeals: endpoints } = infra;
  const commands = context.get(CommandBus);
  const pending = new PendingDeliveries(pool);
  const dispatcher = new DeliveryDispatcher({
    pending,
    attempts: new DeliveryAttempt({
      endpoints,
      formats: messageFormats(infra, context),
      sender: new WebhookSender(new SystemHostAddresses(), urlRulesOf(config)),
      userAgent: `VoidRunner/${VERSION}`,
      onAttempt: (outcome, durationMs) => observations.onWebhookAttempt(outcome, durationMs),
    }),
    checks: new WebhookChecks({ pending, commands, backlogMax: config.WEBHOOK_BACKLOG_MAX }),
    commands,
    log,
  });
  const subscription = createSubscription(infra, WEBHOOKS, new WebhookSubscription(pool, commands, dispatcher));
  return loopRole(
    WEBHOOKS,
    (signal) => subscription.run(signal),
    (signal) => dispatcher.run(() => subscription.leads, signal),
  );
}
