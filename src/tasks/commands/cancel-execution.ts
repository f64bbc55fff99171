import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { CancelExecution } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(CancelExecution)
export class CancelExecutionHandler implements ICommandHandler<CancelExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CancelExecution) {
    return decideExecution(this.decisions, command);
  }
}
