import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { ReleaseAttempt } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(ReleaseAttempt)
export class ReleaseAttemptHandler implements ICommandHandler<ReleaseAttempt> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: ReleaseAttempt) {
    return decideExecution(this.decisions, command);
  }
}
