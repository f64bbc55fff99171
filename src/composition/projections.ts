import type { Projection } from '../event-sourcing/projection/projection.js';
import { activeBatchProjection } from '../orchestrator/active-batch.js';
import { activeExecutionProjection } from '../orchestrator/active-execution.js';
import { batchProjection } from '../tasks/queries/batch-projection.js';
import { executionProjection } from '../tasks/queries/execution-projection.js';
import { taskProjection } from '../tasks/queries/task-projection.js';
import { targetProjection } from '../webhooks/delivery/target-projection.js';
import { deliveryProjection } from '../webhooks/queries/delivery-projection.js';
import { webhookProjection } from '../webhooks/queries/webhook-projection.js';

/** The views that advance with the projector's checkpoint. */
export const projectorProjections: readonly Projection[] = [
  taskProjection,
  executionProjection,
  batchProjection,
  webhookProjection,
];

/** The tables that advance with the orchestrator's checkpoint. */
export const orchestratorProjections: readonly Projection[] = [activeExecutionProjection, activeBatchProjection];

/** The tables that advance with the checkpoint of the webhooks. */
export const webhooksProjections: readonly Projection[] = [targetProjection, deliveryProjection];
