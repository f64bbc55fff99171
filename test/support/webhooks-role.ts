import { messageFormats } from '../../src/composition/message-formats.js';
import { WEBHOOKS } from '../../src/composition/postgres-options.js';
import { masterKeysOf } from '../../src/composition/secrets.js';
import { createSubscription } from '../../src/composition/subscriptions.js';
import { urlRulesOf } from '../../src/composition/webhook-rules.js';
import { PostgresSealedTexts } from '../../src/platform/payloads/sealed-texts.js';
import { EndpointSeals } from '../../src/webhook-endpoints/endpoint-seals.js';
import { SystemHostAddresses } from '../../src/webhook-endpoints/host-addresses.js';
import { DeliveryAttempt } from '../../src/webhooks/delivery/delivery-attempt.js';
import { DeliveryDispatcher } from '../../src/webhooks/delivery/delivery-dispatcher.js';
import { PendingDeliveries } from '../../src/webhooks/delivery/pending-deliveries.js';
import { WebhookChecks } from '../../src/webhooks/delivery/webhook-checks.js';
import { WebhookSender } from '../../src/webhooks/delivery/webhook-sender.js';
import { WebhookSubscription } from '../../src/webhooks/delivery/webhook-subscription.js';
import type { TestService } from './service.js';
import { type Running, running } from './toy-pipeline.js';

/** The webhooks role inside the test process, with a clock that the test moves. */
export class FakeTimeWebhooks implements Running {
  /** How far its clock is ahead. */
  private aheadMs = 0;

  private constructor(
    private readonly dispatcher: DeliveryDispatcher,
    private readonly loops: readonly Running[],
  ) {}

  static start(service: TestService): FakeTimeWebhooks {
    const { infra, commands, app } = service.processes[0]!;
    const { pool, config, log } = infra;
    // Its own: others remember the keys of owners for a time.
    const endpoints = new EndpointSeals(new PostgresSealedTexts({ pool, masterKeys: masterKeysOf(config) }));
    const pending = new PendingDeliveries(pool);
    const formats = messageFormats(infra, app!);
    const sender = new WebhookSender(new SystemHostAddresses(), urlRulesOf(config));
    const dispatcher = new DeliveryDispatcher({
      pending,
      attempts: new DeliveryAttempt({ endpoints, formats, sender, userAgent: 'test', onAttempt: () => undefined }),
      checks: new WebhookChecks({ pending, commands: commands!, backlogMax: config.WEBHOOK_BACKLOG_MAX }),
      commands: commands!,
      log,
      now: () => role.now(),
    });
    const subscription = createSubscription(infra, WEBHOOKS, new WebhookSubscription(pool, commands!, dispatcher));
    const role: FakeTimeWebhooks = new FakeTimeWebhooks(dispatcher, [
      running((signal) => subscription.run(signal)),
      running((signal) => dispatcher.run(() => subscription.leads, signal)),
    ]);
    return role;
  }

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  /** Time passes; may be negative. */
  pass(ms: number): void {
    this.aheadMs += ms;
    this.dispatcher.applied([], true);
  }

  async stop(): Promise<void> {
    await Promise.all(this.loops.map((loop) => loop.stop()));
  }
}
