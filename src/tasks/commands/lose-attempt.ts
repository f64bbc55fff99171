import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { LoseAttempt } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(LoseAttempt)
export class LoseAttemptHandler implements ICommandHandler<LoseAttempt> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: LoseAttempt) {
    return decideExecution(this.decisions, command);
  }
}
