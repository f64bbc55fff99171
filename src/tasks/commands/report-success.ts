import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ReportSuccess } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ReportSuccess)
export class ReportSuccessHandler implements ICommandHandler<ReportSuccess> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ReportSuccess) {
    return decideExecution(this.decisions, command);
  }
}
