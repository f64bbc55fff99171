import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ExpireUnreportedExecution } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ExpireUnreportedExecution)
export class ExpireUnreportedExecutionHandler implements ICommandHandler<ExpireUnreportedExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ExpireUnreportedExecution) {
    return decideExecution(this.decisions, command);
  }
}
