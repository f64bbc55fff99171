import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { CreateRerunBatch } from '../domain/batch-commands.js';
import { decideBatch } from './decide-batch.js';

@CommandHandler(CreateRerunBatch)
export class CreateRerunBatchHandler implements ICommandHandler<CreateRerunBatch> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CreateRerunBatch) {
    return decideBatch(this.decisions, command);
  }
}
