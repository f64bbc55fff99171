import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { UpdateTask } from '../domain/task-commands.js';
import { decideTask } from './decide-task.js';

@CommandHandler(UpdateTask)
export class UpdateTaskHandler implements ICommandHandler<UpdateTask> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: UpdateTask) {
    return decideTask(this.decisions, command);
  }
}
