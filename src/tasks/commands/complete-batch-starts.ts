import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { CompleteBatchStarts } from '../domain/batch-commands.js';
import { decideBatch } from './decide-batch.js';

@CommandHandler(CompleteBatchStarts)
export class CompleteBatchStartsHandler implements ICommandHandler<CompleteBatchStarts> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CompleteBatchStarts) {
    return decideBatch(this.decisions, command);
  }
}
