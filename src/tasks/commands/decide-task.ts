import type { Decided, DecisionRunner } from '../../event-sourcing/core/decision-runner.js';
import type { CreateTask, DeleteTask, UpdateTask } from '../domain/task-commands.js';
import { taskDecider, taskStream } from '../domain/task-decider.js';

/** @returns the position to wait for before reading; null if nothing changed */
export const decideTask = (
  decisions: DecisionRunner,
  command: CreateTask | UpdateTask | DeleteTask,
): Promise<Decided<void>> =>
  decisions.run(command.metadata, async (streams) => {
    const stream = taskStream(command.taskId);
    const task = await (command.type === 'CreateTask'
      ? streams.begin(stream, taskDecider)
      : streams.load(stream, taskDecider));
    task.record(taskDecider.decide(command, task.state));
  });
