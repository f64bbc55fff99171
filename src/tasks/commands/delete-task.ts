import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { DeleteTask } from '../domain/task-commands.js';
import { decideTask } from './decide-task.js';

@CommandHandler(DeleteTask)
export class DeleteTaskHandler implements ICommandHandler<DeleteTask> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: DeleteTask) {
    return decideTask(this.decisions, command);
  }
}
