import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ExpireUnreportedRun } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ExpireUnreportedRun)
export class ExpireUnreportedRunHandler implements ICommandHandler<ExpireUnreportedRun> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ExpireUnreportedRun) {
    return decideExecution(this.decisions, command);
  }
}
