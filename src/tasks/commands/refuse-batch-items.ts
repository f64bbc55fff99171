import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { RefuseBatchItems } from '../domain/batch-commands.js';
import { decideBatch } from './decide-batch.js';

@CommandHandler(RefuseBatchItems)
export class RefuseBatchItemsHandler implements ICommandHandler<RefuseBatchItems> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: RefuseBatchItems) {
    return decideBatch(this.decisions, command);
  }
}
