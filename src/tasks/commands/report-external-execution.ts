import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ReportExternalExecution } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ReportExternalExecution)
export class ReportExternalExecutionHandler implements ICommandHandler<ReportExternalExecution> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ReportExternalExecution) {
    return decideExecution(this.decisions, command);
  }
}
