import type { HealthProbes, WorkersReport } from './health-probes.js';
import type { HealthResponse, ReadyResponse, WorkersResponse } from './health-schemas.js';

const NANOSECONDS_PER_MS = 1_000_000;

export interface HealthReportsOptions {
  readonly version: string;
  readonly probes: HealthProbes;
  readonly workers: () => Promise<WorkersReport>;
}

/** The responses of the health routes. */
export class HealthReports {
  constructor(private readonly options: HealthReportsOptions) {}

  health(): HealthResponse {
    return {
      status: 'ok',
      timestamp: new Date().toISOString(),
      uptime: `${Math.floor(process.uptime())}s`,
      version: this.options.version,
      service: 'voidrunner-api',
    };
  }

  async ready(): Promise<ReadyResponse> {
    const { ready, checks } = await this.options.probes.readiness();
    return {
      status: ready ? 'ready' : 'not ready',
      checks: checks as ReadyResponse['checks'],
      timestamp: new Date().toISOString(),
    };
  }

  async workers(): Promise<WorkersResponse> {
    const report = await this.options.workers();
    const idle = Math.max(0, report.poolSize - report.activeWorkers - report.unhealthyWorkers);
    return {
      status: report.isRunning && report.isHealthy ? 'healthy' : 'unhealthy',
      timestamp: new Date().toISOString(),
      worker_manager: { is_running: report.isRunning, is_healthy: report.isHealthy },
      worker_pool: {
        pool_size: report.poolSize,
        active_workers: report.activeWorkers,
        idle_workers: idle,
        unhealthy_workers: report.unhealthyWorkers,
        total_tasks_processed: report.tasksProcessed,
        total_tasks_successful: report.tasksSuccessful,
        total_tasks_failed: report.tasksFailed,
        average_task_time: Math.round(report.averageTaskMs * NANOSECONDS_PER_MS),
      },
      concurrency: {
        total_active_slots: report.activeWorkers,
        available_slots: idle,
        ...(report.queuedJobs !== undefined && { queued_jobs: report.queuedJobs }),
        ...(report.processes !== undefined && { worker_processes: report.processes }),
      },
    };
  }
}
