import { z } from 'zod';

export const healthResponse = z
  .object({
    status: z.literal('ok'),
    timestamp: z.iso.datetime(),
    uptime: z.string(),
    version: z.string(),
    service: z.literal('voidrunner-api'),
  })
  .meta({ id: 'Health' });

const check = z.enum(['ready', 'not ready']);

export const readyResponse = z
  .object({
    status: check,
    checks: z.object({ server: check, database: check, redis: check, nats: check, executor: check, workers: check }),
    timestamp: z.iso.datetime(),
  })
  .meta({ id: 'Readiness' });

export const workersResponse = z
  .object({
    status: z.enum(['healthy', 'unhealthy']),
    timestamp: z.iso.datetime(),
    worker_manager: z.object({ is_running: z.boolean(), is_healthy: z.boolean() }),
    worker_pool: z.object({
      pool_size: z.int32(),
      active_workers: z.int32(),
      idle_workers: z.int32(),
      unhealthy_workers: z.int32(),
      total_tasks_processed: z.int(),
      total_tasks_successful: z.int(),
      total_tasks_failed: z.int(),
      average_task_time: z.int().describe('Nanoseconds, as in the original service'),
    }),
    concurrency: z.object({
      total_active_slots: z.int32(),
      available_slots: z.int32(),
      queued_jobs: z.int32().optional(),
      worker_processes: z.int32().optional(),
    }),
  })
  .meta({ id: 'WorkersHealth' });

export const pingResponse = z.object({ message: z.literal('pong') }).meta({ id: 'Pong' });

export type HealthResponse = z.output<typeof healthResponse>;
export type ReadyResponse = z.output<typeof readyResponse>;
export type WorkersResponse = z.output<typeof workersResponse>;
