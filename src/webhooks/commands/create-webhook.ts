import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { CreateWebhook } from '../domain/webhook-commands.js';
import { decideWebhook } from './decide-webhook.js';

@CommandHandler(CreateWebhook)
export class CreateWebhookHandler implements ICommandHandler<CreateWebhook> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CreateWebhook) {
    return decideWebhook(this.decisions, command);
  }
}
