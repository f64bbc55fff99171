import { z } from 'zod';

import { unchanged, type EventOf, eventType } from '../../event-sourcing/core/event-type.js';
import {
  outcome,
  payloadRef,
  retryPolicy,
  executionLimits,
  scriptType,
  suiteRef,
  timeoutSeconds,
} from './execution-shape.js';

/** A task without its executions. The script itself is a payload and never in the log. */
export const taskDefinition = z.object({
  name: z.string(),
  description: z.string().nullable(),
  script: payloadRef,
  /** Null: an execution is one run of the program. */
  suite: suiteRef.nullable(),
  script_type: scriptType,
  priority: z.int().min(0).max(10),
  timeout_seconds: timeoutSeconds,
  metadata: z.record(z.string(), z.json()),
  max_parallel: z.int().positive(),
  retry: retryPolicy,
  limits: executionLimits,
});
export type TaskDefinition = z.output<typeof taskDefinition>;

const withoutTests = (definition: unknown) => ({ ...(definition as object), suite: null });

/**
 * Version 2: `timeout_seconds` may have fractions. Version 3: any runtime; limits of CPU time and of output. Version 4:
 * tests.
 */
export const TaskCreated = eventType(
  'TaskCreated',
  z.object({ task_id: z.uuid(), owner_id: z.uuid(), definition: taskDefinition }),
  {
    upcasters: [unchanged, unchanged, ({ definition, ...v3 }) => ({ ...v3, definition: withoutTests(definition) })],
    payloads: ({ definition }) => [definition.script, definition.suite?.payload],
  },
);

/** Only the fields that changed. The ETag shows `definition_version`. Versions: as for TaskCreated. */
export const TaskUpdated = eventType(
  'TaskUpdated',
  z.object({ definition_version: z.int().min(2), changes: taskDefinition.partial() }),
  { upcasters: [unchanged, unchanged, unchanged], payloads: ({ changes }) => [changes.script, changes.suite?.payload] },
);

export const TaskDeleted = eventType('TaskDeleted', z.object({}));

/** In one append with the execution's ExecutionRequested or ExecutionRedriven. */
export const TaskExecutionStarted = eventType('TaskExecutionStarted', z.object({ execution_id: z.uuid() }));

/** In one append with the execution's terminal event. */
export const TaskExecutionFinished = eventType('TaskExecutionFinished', z.object({ execution_id: z.uuid(), outcome }));

export const taskEvents = { TaskCreated, TaskUpdated, TaskDeleted, TaskExecutionStarted, TaskExecutionFinished };
export type TaskEvent = EventOf<typeof taskEvents>;
