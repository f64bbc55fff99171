import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { CompleteBatchCancellation } from '../domain/batch-commands.js';
import { decideBatch } from './decide-batch.js';

@CommandHandler(CompleteBatchCancellation)
export class CompleteBatchCancellationHandler implements ICommandHandler<CompleteBatchCancellation> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CompleteBatchCancellation) {
    return decideBatch(this.decisions, command);
  }
}
