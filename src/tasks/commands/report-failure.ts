import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ReportFailure } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ReportFailure)
export class ReportFailureHandler implements ICommandHandler<ReportFailure> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ReportFailure) {
    return decideExecution(this.decisions, command);
  }
}
