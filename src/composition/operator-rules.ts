import type { Config } from '../config/load-config.js';
import type { Runtimes } from '../runtimes/runtimes.js';
import { OperatorRules } from '../tasks/api/operator-rules.js';

const MS_PER_SECOND = 1_000;

export const operatorRulesOf = (config: Config, runtimes: Runtimes): OperatorRules =>
  new OperatorRules(
    {
      timeout_seconds: config.EXECUTOR_TIMEOUT_MAX / MS_PER_SECOND,
      memory_mb: config.EXECUTOR_MEMORY_MB_MAX,
      cpus: config.EXECUTOR_CPUS_MAX,
      pids: config.EXECUTOR_PIDS_MAX,
      cpu_time_seconds: (config.EXECUTOR_TIMEOUT_MAX / MS_PER_SECOND) * config.EXECUTOR_CPUS_MAX,
      output_bytes: config.EXECUTOR_OUTPUT_BYTES_MAX,
    },
    runtimes,
  );
