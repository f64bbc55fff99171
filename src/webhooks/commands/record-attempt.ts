import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { RecordAttempt } from '../domain/delivery-commands.js';
import { decideDelivery } from './decide-delivery.js';

@CommandHandler(RecordAttempt)
export class RecordAttemptHandler implements ICommandHandler<RecordAttempt> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: RecordAttempt) {
    return decideDelivery(this.decisions, command);
  }
}
