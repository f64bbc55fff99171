import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { DisableWebhook } from '../domain/webhook-commands.js';
import { decideWebhook } from './decide-webhook.js';

@CommandHandler(DisableWebhook)
export class DisableWebhookHandler implements ICommandHandler<DisableWebhook> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: DisableWebhook) {
    return decideWebhook(this.decisions, command);
  }
}
