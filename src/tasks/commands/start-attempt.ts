import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { StartAttempt } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(StartAttempt)
export class StartAttemptHandler implements ICommandHandler<StartAttempt> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: StartAttempt) {
    return decideExecution(this.decisions, command);
  }
}
