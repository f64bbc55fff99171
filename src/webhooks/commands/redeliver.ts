import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { Redeliver } from '../domain/delivery-commands.js';
import { decideDelivery } from './decide-delivery.js';

@CommandHandler(Redeliver)
export class RedeliverHandler implements ICommandHandler<Redeliver> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: Redeliver) {
    return decideDelivery(this.decisions, command);
  }
}
