import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ExpireExternalExecution } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ExpireExternalExecution)
export class ExpireExternalExecutionHandler implements ICommandHandler<ExpireExternalExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ExpireExternalExecution) {
    return decideExecution(this.decisions, command);
  }
}
