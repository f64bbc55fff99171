import { z } from 'zod';

import { listQuery, listView } from '../../http/listing/list-query.js';
import { BATCH_ITEMS_MAX } from '../domain/batch-events.js';
import { ITEM_STATUSES, type ItemStatus } from '../domain/batch-item-status.js';
import { BATCH_STATUSES } from '../domain/batch-state.js';
import type { BatchRow } from '../queries/batch-projection.js';
import type { BatchView } from '../queries/batch-queries.js';
import { oneShotBody } from './one-shot-schema.js';
import { executionWebhook } from './webhook-schema.js';

export const createBatchBody = z
  .strictObject({
    items: z.array(oneShotBody).min(1).max(BATCH_ITEMS_MAX).describe('A task and the input of its execution each'),
    webhook: executionWebhook.optional(),
  })
  .meta({
    id: 'CreateBatch',
    example: {
      items: ['Ada', 'Grace'].map((name) => ({
        name: `Greeting of ${name}`,
        script_type: 'bash',
        script_content: 'echo "Hello $1"',
        input: { args: [name] },
      })),
    },
  });
export type CreateBatchBody = z.output<typeof createBatchBody>;

export const listBatchesQuery = z.strictObject(listQuery(['created_at']));
export type ListBatchesQuery = z.output<typeof listBatchesQuery>;

const count = z.int32().nonnegative();
const index = count.describe('Position in the batch, from 0');

export const createdBatchView = z
  .object({ id: z.uuid(), executions: z.array(z.object({ index, id: z.uuid() })) })
  .meta({ id: 'CreatedBatch' });

const summary = {
  id: z.uuid(),
  kind: z.enum(['new', 'rerun']).describe('`new`: of new tasks, each executed once; `rerun`: of earlier executions'),
  status: z
    .enum(BATCH_STATUSES)
    .describe('`starting`: executions wait to be started. `started`: none does; they may still run'),
  created_at: z.iso.datetime(),
};

export const batchView = z
  .object({
    ...summary,
    counts: z
      .object(Object.fromEntries(ITEM_STATUSES.map((status) => [status, count])) as Record<ItemStatus, typeof count>)
      .describe('The number of executions with each status'),
    executions: z.array(
      z.object({
        index,
        id: z.uuid().describe('Of the execution; a rerun exists once it has been started'),
        status: z
          .enum(ITEM_STATUSES)
          .describe(
            '`waiting`: to be started. `refused`: cannot be started. `cancelled`: also an execution that was not ' +
              'started before the batch was cancelled',
          ),
        code: z.string().nullable().describe('Why it is refused, such as `task_not_found` or `input_erased`'),
        rerun_of: z.uuid().nullable(),
      }),
    ),
  })
  .meta({ id: 'Batch' });

export const batchSummaryView = z
  .object({ ...summary, size: count.describe('Number of executions'), refused: count })
  .meta({ id: 'BatchSummary' });

export const batchList = listView('BatchList', 'batches', batchSummaryView);

/** A batch as clients see it. */
export function batchViewOf({ batch, createdAt, items }: BatchView): z.output<typeof batchView> {
  const counts = Object.fromEntries(ITEM_STATUSES.map((status) => [status, 0])) as Record<ItemStatus, number>;
  for (const { status } of items) counts[status] += 1;
  return {
    id: batch.batch_id,
    kind: batch.content.kind,
    status: batch.status,
    created_at: createdAt.toISOString(),
    counts,
    executions: items.map(({ index: at, executionId, status, code, sourceId }) => ({
      index: at,
      id: executionId,
      status,
      code,
      rerun_of: sourceId,
    })),
  };
}

export const batchSummaryOf = ({ id, kind, status, created_at, size, refused }: BatchRow) => ({
  id,
  kind,
  status,
  created_at: new Date(created_at).toISOString(),
  size,
  refused,
});
