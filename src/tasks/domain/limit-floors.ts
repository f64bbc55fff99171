import type { FieldFault } from '../../kernel/errors.js';
import type { ScriptType } from '../../sandbox/sandbox.js';

export interface LimitFloor {
  readonly memory_mb: number;
  readonly pids: number;
}

/**
 * The least that a program of a language needs, its compiler included. A limit below it is refused, not raised.
 * Measured with "hello" (test/integration/sandbox/floors.test.ts): python and bash start in 6 MiB, node in 12,
 * TypeScript in 24, and go links net/http in 64. A thread counts as a process: node has 7, and go builds with up to 20.
 */
export const LIMIT_FLOORS: Readonly<Record<ScriptType, LimitFloor>> = {
  python: { memory_mb: 16, pids: 16 },
  javascript: { memory_mb: 24, pids: 16 },
  typescript: { memory_mb: 32, pids: 16 },
  bash: { memory_mb: 16, pids: 16 },
  go: { memory_mb: 64, pids: 32 },
};

/** The given limits that are too low for any program of the language. */
export function limitsBelowFloor(
  scriptType: ScriptType,
  limits: { readonly [Limit in keyof LimitFloor]?: number | undefined },
): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const limit of ['memory_mb', 'pids'] as const) {
    const [value, floor] = [limits[limit], LIMIT_FLOORS[scriptType][limit]];
    if (value === undefined || value >= floor) continue;
    const message = `must be at least ${floor} for ${scriptType}`;
    faults.push({ field: `limits.${limit}`, value: String(value), tag: 'min', message });
  }
  return faults;
}
