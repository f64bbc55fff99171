import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { DiscardDeadLetter } from '../domain/execution-commands.js';
import { decideExecution } from './decide-execution.js';

@CommandHandler(DiscardDeadLetter)
export class DiscardDeadLetterHandler implements ICommandHandler<DiscardDeadLetter> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: DiscardDeadLetter) {
    return decideExecution(this.decisions, command);
  }
}
