import { z } from 'zod';

import { unchanged, type EventOf, eventType } from '../../event-sourcing/core/event-type.js';
import { outcome, payloadRef, retryPolicy, runLimits, scriptType, timeoutSeconds } from './execution-shape.js';

/** What a task is, apart from its runs. The script itself is a payload: it never stands in the log. */
export const taskDefinition = z.object({
  name: z.string(),
  description: z.string().nullable(),
  script: payloadRef,
  script_type: scriptType,
  priority: z.int().min(0).max(10),
  timeout_seconds: timeoutSeconds,
  metadata: z.record(z.string(), z.json()),
  max_parallel: z.int().positive(),
  retry: retryPolicy,
  limits: runLimits,
});
export type TaskDefinition = z.output<typeof taskDefinition>;

/** Version 2: `timeout_seconds` may have fractions. */
export const TaskCreated = eventType(
  'TaskCreated',
  z.object({ task_id: z.uuid(), owner_id: z.uuid(), definition: taskDefinition }),
  { upcasters: [unchanged], payloads: ({ definition }) => [definition.script] },
);

/** Only the fields that changed. `definition_version` is what the ETag shows. Version 2: as TaskCreated's. */
export const TaskUpdated = eventType(
  'TaskUpdated',
  z.object({ definition_version: z.int().min(2), changes: taskDefinition.partial() }),
  { upcasters: [unchanged], payloads: ({ changes }) => [changes.script] },
);

export const TaskDeleted = eventType('TaskDeleted', z.object({}));

/** Stands in one append with the ExecutionRequested or ExecutionRedriven that it is the echo of. */
export const TaskExecutionStarted = eventType('TaskExecutionStarted', z.object({ execution_id: z.uuid() }));

/** Stands in one append with the execution's terminal event. */
export const TaskExecutionFinished = eventType('TaskExecutionFinished', z.object({ execution_id: z.uuid(), outcome }));

export const taskEvents = { TaskCreated, TaskUpdated, TaskDeleted, TaskExecutionStarted, TaskExecutionFinished };
export type TaskEvent = EventOf<typeof taskEvents>;
