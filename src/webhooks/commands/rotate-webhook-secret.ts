import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { RotateWebhookSecret } from '../domain/webhook-commands.js';
import { decideWebhook } from './decide-webhook.js';

@CommandHandler(RotateWebhookSecret)
export class RotateWebhookSecretHandler implements ICommandHandler<RotateWebhookSecret> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: RotateWebhookSecret) {
    return decideWebhook(this.decisions, command);
  }
}
