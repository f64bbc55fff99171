import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { UpdateWebhook } from '../domain/webhook-commands.js';
import { decideWebhook } from './decide-webhook.js';

@CommandHandler(UpdateWebhook)
export class UpdateWebhookHandler implements ICommandHandler<UpdateWebhook> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: UpdateWebhook) {
    return decideWebhook(this.decisions, command);
  }
}
