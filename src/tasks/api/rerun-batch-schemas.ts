import { z } from 'zod';

import { givenTime } from '../../http/validation/given-time.js';
import { RERUNS_MAX } from '../domain/batch-events.js';
import { FAILURE_REASONS, outcome } from '../domain/execution-shape.js';
import { rerunSettings } from './execution-schemas.js';

const LIMIT_DEFAULT = 100;

const filter = z
  .strictObject({
    status: outcome.optional(),
    task_id: z.uuid().optional(),
    since: givenTime.optional().describe('Only executions that were created at this time or later'),
    until: givenTime.optional().describe('Only executions that were created before this time'),
    termination_reason: z.enum([...FAILURE_REASONS, 'cancelled', 'expired']).optional(),
  })
  .refine(({ since, until }) => !since || !until || since <= until, {
    path: ['until'],
    message: 'must not be before since',
  })
  .describe('All fields that are given must match. Without a field, every execution that has ended matches');

export const rerunManyBody = z
  .strictObject({
    filter,
    ...rerunSettings,
    limit: z
      .int()
      .min(1)
      .max(RERUNS_MAX)
      .default(LIMIT_DEFAULT)
      .describe('Maximum number of executions; the oldest come first'),
  })
  .meta({ id: 'RerunExecutions', example: { filter: { status: 'failed' }, overrides: { priority: 3 }, limit: 100 } });
export type RerunManyBody = z.output<typeof rerunManyBody>;

export const createdRerunsView = z
  .object({
    id: z.uuid().describe('Of the batch'),
    executions: z.array(
      z.object({
        index: z.int32().nonnegative(),
        id: z.uuid().describe('Of the execution; it exists once it has been started'),
        rerun_of: z.uuid(),
      }),
    ),
  })
  .meta({ id: 'CreatedReruns' });
