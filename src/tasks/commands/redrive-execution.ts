import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { RedriveExecution } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(RedriveExecution)
export class RedriveExecutionHandler implements ICommandHandler<RedriveExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: RedriveExecution) {
    return decideExecution(this.decisions, command);
  }
}
