import { z } from 'zod';

import { MEMORY_MB_LEAST, PIDS_LEAST, RUNTIME_NAME_CHARS_MAX } from '../../runtimes/runtime.js';

const TIMEOUT_SECONDS_MIN = 0.1;
const OUTPUT_BYTES_LEAST = 1_024;

/** The name or an alias of a declared runtime, checked separately: see OperatorRules. */
export const scriptType = z
  .string()
  .max(RUNTIME_NAME_CHARS_MAX)
  .describe('Name or alias of a runtime: see `GET /runtimes`');

const AT_LEAST = 'A runtime may need more: see `GET /runtimes`';

/** The operator sets the maxima. They are checked separately: see OperatorRules. */
export const limits = z.strictObject({
  memory_mb: z
    .int()
    .min(MEMORY_MB_LEAST)
    .describe(`Memory in MiB for the program and all processes that it starts. ${AT_LEAST}`),
  cpus: z.number().min(0.1),
  pids: z.int().min(PIDS_LEAST).describe(`Maximum number of concurrent processes and threads. ${AT_LEAST}`),
  cpu_time_seconds: z
    .number()
    .min(TIMEOUT_SECONDS_MIN)
    .nullable()
    .describe(
      'CPU time in seconds of the program and all processes that it starts, to the millisecond. A program that uses more ' +
        'ends with status `timeout`. Null: only `timeout_seconds` applies',
    ),
  output_bytes: z
    .int()
    .min(OUTPUT_BYTES_LEAST)
    .nullable()
    .describe(
      'Bytes kept of stdout, and of stderr: the first and the last ones. Null: the most that the service keeps',
    ),
});

/** The operator sets the maximum, as for the limits. */
export const timeoutSeconds = z
  .number()
  .min(TIMEOUT_SECONDS_MIN)
  .describe('Timeout in seconds of wall time, to the millisecond');
