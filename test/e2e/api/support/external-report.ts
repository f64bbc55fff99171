import type { ExecutionReport } from '../../../support/api-client.js';

/** A report with every field. */
export const FULL_REPORT: ExecutionReport = {
  status: 'failed',
  return_code: 3,
  stdout: 'out',
  stderr: 'err',
  execution_time_ms: 20,
  memory_usage_bytes: 4_096,
  started_at: '2026-01-31T12:00:00Z',
  completed_at: '2026-01-31T12:00:01Z',
};
