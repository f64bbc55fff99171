import { CommandHandler, type ICommandHandler } from '@nestjs/cqrs';

import { type Decided, DecisionRunner } from '../../kernel/decision-runner.js';
import { CreateTask, DeleteTask, UpdateTask } from '../domain/task-commands.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';

/** @returns the position to wait for before reading; null where nothing had to change */
const decideTask = (decisions: DecisionRunner, command: CreateTask | UpdateTask | DeleteTask): Promise<Decided<void>> =>
  decisions.run(command.metadata, async (streams) => {
    const stream = taskStream(command.taskId);
    const task = await (command.type === 'CreateTask'
      ? streams.begin(stream, taskDecider)
      : streams.load(stream, taskDecider));
    task.record(taskDecider.decide(command, task.state));
  });

@CommandHandler(CreateTask)
export class CreateTaskHandler implements ICommandHandler<CreateTask> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: CreateTask) {
    return decideTask(this.decisions, command);
  }
}

@CommandHandler(UpdateTask)
export class UpdateTaskHandler implements ICommandHandler<UpdateTask> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: UpdateTask) {
    return decideTask(this.decisions, command);
  }
}

@CommandHandler(DeleteTask)
export class DeleteTaskHandler implements ICommandHandler<DeleteTask> {
  constructor(private readonly decisions: DecisionRunner) {}

  execute(command: DeleteTask) {
    return decideTask(this.decisions, command);
  }
}

export const taskCommandHandlers = [CreateTaskHandler, UpdateTaskHandler, DeleteTaskHandler];
