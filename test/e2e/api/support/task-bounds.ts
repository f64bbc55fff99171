const KIB = 1024;
const metadataOf = (bytes: number) => ({ a: 'x'.repeat(bytes - '{"a":""}'.length) });
/** Field, values just within its bounds, values just outside with their error messages. */
export const TASK_BOUNDS: [string, unknown[], [unknown, string][]][] = [
  [
    'name',
    ['x', 'x'.repeat(255), '🐳'.repeat(255)],
    [
      ['', 'min'],
      ['x'.repeat(256), 'max'],
      ['🐳'.repeat(256), 'max'],
      [1, 'type'],
      [null, 'type'],
    ],
  ],
  [
    'description',
    ['', null, 'x'.repeat(1_000), '🐳'.repeat(1_000)],
    [
      ['x'.repeat(1_001), 'max'],
      [false, 'type'],
    ],
  ],
  [
    'script_content',
    ['x', 'é'.repeat(65_535)],
    [
      ['', 'min'],
      ['x'.repeat(65_536), 'max'],
      [['x'], 'type'],
    ],
  ],
  [
    'script_type',
    ['python', 'javascript', 'typescript', 'bash', 'go'],
    [
      ['cobol', 'oneof'],
      ['', 'oneof'],
      ['Go', 'oneof'],
      ['x'.repeat(33), 'max'],
    ],
  ],
  [
    'priority',
    [0, 10],
    [
      [-1, 'min'],
      [11, 'max'],
      [1.5, 'type'],
      ['5', 'type'],
      [null, 'type'],
    ],
  ],
  [
    'timeout_seconds',
    [1, 3_600, 0.1, 1.5, 0.123, 3_599.999, 1.000_000_1],
    [
      [0, 'min'],
      [0.099, 'min'],
      [3_600.001, 'max'],
      ['1.5', 'type'],
      [true, 'type'],
    ],
  ],
  [
    'metadata',
    [{}, { a: null, b: [1, { c: 'x' }] }, metadataOf(16 * KIB)],
    [
      [metadataOf(16 * KIB + 1), 'max'],
      [[], 'type'],
      ['{}', 'type'],
      [null, 'type'],
    ],
  ],
  [
    'max_parallel',
    [1, 100],
    [
      [0, 'min'],
      [101, 'max'],
    ],
  ],
  [
    'retry',
    [{}],
    [
      [[], 'type'],
      [3, 'type'],
    ],
  ],
  [
    'retry.max_attempts',
    [1, 10],
    [
      [0, 'min'],
      [11, 'max'],
      ['3', 'type'],
    ],
  ],
  [
    'retry.initial_delay_ms',
    [0, 3_600_000],
    [
      [-1, 'min'],
      [3_600_001, 'max'],
    ],
  ],
  [
    'retry.backoff_factor',
    [1, 10, 1.5],
    [
      [0.99, 'min'],
      [10.01, 'max'],
      [null, 'type'],
    ],
  ],
  [
    'retry.max_delay_ms',
    [0, 3_600_000],
    [
      [-1, 'min'],
      [3_600_001, 'max'],
    ],
  ],
  ['retry.retry_on', [[], ['exit_code', 'signal', 'out_of_memory', 'timeout', 'infrastructure']], [[{}, 'type']]],
  [
    'limits.memory_mb',
    [16, 512],
    [
      [15, 'min'],
      [513, 'max'],
      [16.5, 'type'],
    ],
  ],
  [
    'limits.cpus',
    [0.1, 1],
    [
      [0.09, 'min'],
      [1.01, 'max'],
      ['1', 'type'],
    ],
  ],
  [
    'limits.cpu_time_seconds',
    [0.1, 3_600, null],
    [
      [0.09, 'min'],
      [3_601, 'max'],
      ['1', 'type'],
    ],
  ],
  [
    'limits.output_bytes',
    [1_024, 1_048_576, null],
    [
      [1_023, 'min'],
      [1_048_577, 'max'],
      [1_024.5, 'type'],
    ],
  ],
  [
    'limits.pids',
    [16, 256],
    [
      [15, 'min'],
      [257, 'max'],
    ],
  ],
];
