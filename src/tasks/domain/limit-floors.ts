import type { FieldFault } from '../../kernel/errors.js';

/** The least limits of a runtime's programs. A limit below is refused, not raised. */
export interface LimitFloor {
  readonly memory_mb: number;
  readonly pids: number;
}

/** The given limits that are too low for any program of the runtime. */
export function limitsBelowFloor(
  runtime: string,
  floor: LimitFloor,
  limits: { readonly [Limit in keyof LimitFloor]?: number | null | undefined },
): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const limit of ['memory_mb', 'pids'] as const) {
    const value = limits[limit];
    if (value === undefined || value === null || value >= floor[limit]) continue;
    const message = `must be at least ${floor[limit]} for ${runtime}`;
    faults.push({ field: `limits.${limit}`, value: String(value), tag: 'min', message });
  }
  return faults;
}
