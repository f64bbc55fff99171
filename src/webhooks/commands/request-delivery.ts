import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { RequestDelivery } from '../domain/delivery-commands.js';
import { decideDelivery } from './decide-delivery.js';

@CommandHandler(RequestDelivery)
export class RequestDeliveryHandler implements ICommandHandler<RequestDelivery> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: RequestDelivery) {
    return decideDelivery(this.decisions, command);
  }
}
