import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import { CreateTask } from '../domain/task-commands.js';
import { decideTask } from './decide-task.js';

@CommandHandler(CreateTask)
export class CreateTaskHandler implements ICommandHandler<CreateTask> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CreateTask) {
    return decideTask(this.decisions, command);
  }
}
