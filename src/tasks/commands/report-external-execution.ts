import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ReportExternalRun } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ReportExternalRun)
export class ReportExternalRunHandler implements ICommandHandler<ReportExternalRun> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ReportExternalRun) {
    return decideExecution(this.decisions, command);
  }
}
