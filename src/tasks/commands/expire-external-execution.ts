import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ExpireExternalRun } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ExpireExternalRun)
export class ExpireExternalRunHandler implements ICommandHandler<ExpireExternalRun> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ExpireExternalRun) {
    return decideExecution(this.decisions, command);
  }
}
