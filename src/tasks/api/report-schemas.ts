import { z } from 'zod';

import { givenTime } from '../../http/validation/given-time.js';
import { OUTCOMES } from '../domain/execution-shape.js';

const count = z.int().nonnegative();

const underWay = z
  .strictObject({
    status: z.literal('running'),
    started_at: givenTime.optional(),
  })
  .meta({ id: 'RunningReport' });

const ended = z
  .strictObject({
    status: z.enum(OUTCOMES),
    return_code: z.int().min(0).max(255).nullable().default(null),
    stdout: z.string().default(''),
    stderr: z.string().default(''),
    execution_time_ms: count.nullable().default(null),
    memory_usage_bytes: count.nullable().default(null),
    started_at: givenTime.nullable().default(null),
    completed_at: givenTime.optional(),
  })
  .refine(({ started_at, completed_at }) => !started_at || !completed_at || started_at <= completed_at, {
    path: ['completed_at'],
    message: 'must not be before started_at',
  })
  .meta({ id: 'EndedReport' });

/** The report of an external worker: the execution is running, or how it ended. */
export const reportBody = z
  .discriminatedUnion('status', [underWay, ended])
  .meta({ id: 'ExecutionReport', example: { status: 'completed', return_code: 0, stdout: 'Hello\n' } });
export type ReportBody = z.output<typeof reportBody>;
