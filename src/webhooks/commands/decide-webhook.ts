import type { Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { WebhookCommand } from '../domain/webhook-commands.js';
import { webhookChanged, webhookDecider, webhookStream } from '../domain/webhook-decider.js';

/** The version on top of which a new endpoint was sealed; null for a command without one. */
function endpointVersionOf(command: WebhookCommand): number | null {
  if (command.type === 'RotateWebhookSecret') return command.version;
  return command.type === 'UpdateWebhook' && command.changes.endpoint !== undefined ? command.version : null;
}

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
    if (command.type === 'DisableWebhook' && command.version !== webhook.version) return;
    const events = webhookDecider.decide(command, webhook.state);
    const sealedAt = endpointVersionOf(command);
    if (sealedAt !== null && sealedAt !== webhook.version) throw webhookChanged();
    webhook.record(events);
  });
