import type { Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { WebhookCommand } from '../domain/webhook-commands.js';
import { webhookChanged, webhookDecider, webhookStream } from '../domain/webhook-decider.js';

/**
 * @returns the position to wait for before reading; null if nothing changed
 * @throws DomainError as the decider does; `webhook_changed` if an endpoint was sealed on top of an older version
 */
export const decideWebhook = (decisions: DecisionRunner, command: WebhookCommand): Promise<Decided<void>> =>
  decisions.run(command.metadata, async (streams) => {
    const stream = webhookStream(command.webhookId);
    const webhook = await (command.type === 'CreateWebhook'
      ? streams.begin(stream, webhookDecider)
      : streams.load(stream, webhookDecider));
    const events = webhookDecider.decide(command, webhook.state);
    if ('version' in command && command.version !== webhook.version) throw webhookChanged();
    webhook.record(events);
  });
