import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { DeleteWebhook } from '../domain/webhook-commands.js';
import { decideWebhook } from './decide-webhook.js';

@CommandHandler(DeleteWebhook)
export class DeleteWebhookHandler implements ICommandHandler<DeleteWebhook> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: DeleteWebhook) {
    return decideWebhook(this.decisions, command);
  }
}
