import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { AbandonDelivery } from '../domain/delivery-commands.js';
import { decideDelivery } from './decide-delivery.js';

@CommandHandler(AbandonDelivery)
export class AbandonDeliveryHandler implements ICommandHandler<AbandonDelivery> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: AbandonDelivery) {
    return decideDelivery(this.decisions, command);
  }
}
