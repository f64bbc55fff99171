import type { TaskChanges } from './task-commands.js';
import type { TaskDefinition } from './task-events.js';

/** The changed fields of a definition, whole: a change of a retry policy or of limits may be partial. */
export function changedDefinition(
  definition: TaskDefinition,
  { retry, limits, ...others }: TaskChanges,
): Partial<TaskDefinition> {
  const given = Object.entries(others).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(given),
    ...(retry && { retry: { ...definition.retry, ...retry } }),
    ...(limits && { limits: { ...definition.limits, ...limits } }),
  };
}
