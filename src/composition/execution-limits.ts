import type { Config } from '../config/load-config.js';
import { ExecutionLimitsCeiling } from '../tasks/api/limits-ceiling.js';

const MS_PER_SECOND = 1_000;

/** The highest limits that the operator allows a task to ask for. */
export const executionLimitsCeilingOf = (config: Config): ExecutionLimitsCeiling =>
  new ExecutionLimitsCeiling({
    timeout_seconds: config.EXECUTOR_TIMEOUT_MAX / MS_PER_SECOND,
    memory_mb: config.EXECUTOR_MEMORY_MB_MAX,
    cpus: config.EXECUTOR_CPUS_MAX,
    pids: config.EXECUTOR_PIDS_MAX,
  });
