import type { Config } from '../config/load-config.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { OperatorRules } from '../tasks/api/operator-rules.js';

const MS_PER_SECOND = 1_000;
const CPU_TIME_MS_MAX = 2 ** 31;

export const operatorRulesOf = (config: Config, runtimes: Runtimes): OperatorRules =>
  new OperatorRules(
    {
      timeout_seconds: config.EXECUTOR_TIMEOUT_MAX / MS_PER_SECOND,
      memory_mb: config.EXECUTOR_MEMORY_MB_MAX,
      cpus: config.EXECUTOR_CPUS_MAX,
      pids: config.EXECUTOR_PIDS_MAX,
      // No more than the launcher counts.
      cpu_time_seconds:
        Math.min(config.EXECUTOR_TIMEOUT_MAX * config.EXECUTOR_CPUS_MAX, CPU_TIME_MS_MAX) / MS_PER_SECOND,
      output_bytes: config.EXECUTOR_OUTPUT_BYTES_MAX,
    },
    runtimes,
  );
