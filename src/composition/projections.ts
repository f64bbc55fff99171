import { executionProjection } from '../execution/read/execution-projection.js';
import { activeExecutionProjection } from '../orchestration/saga/active-execution.js';
import type { Projection } from '../platform/projection/projection.js';
import { taskProjection } from '../task/read/task-projection.js';

/** The views that follow the projector's checkpoint. */
export const projectorProjections: readonly Projection[] = [taskProjection, executionProjection];

/** The table that follows the orchestrator's. */
export const orchestratorProjections: readonly Projection[] = [activeExecutionProjection];
