import { InvalidFields } from '../../kernel/errors.js';
import type { ScriptType } from '../../sandbox/sandbox.js';
import { limitsBelowFloor } from '../domain/limit-floors.js';

/** The limits that a task requests; all are optional. */
export interface RequestedLimits {
  readonly script_type?: ScriptType | undefined;
  readonly timeout_seconds?: number | undefined;
  readonly limits?: { readonly [Name in 'memory_mb' | 'cpus' | 'pids']?: number | undefined } | undefined;
}

/** The maximum limits of a run. The operator sets them, so they are not part of the schemas, which are constants. */
export class ExecutionLimitsCeiling {
  constructor(
    private readonly maxima: {
      readonly timeout_seconds: number;
      readonly memory_mb: number;
      readonly cpus: number;
      readonly pids: number;
    },
  ) {}

  /** The maxima by field path, for the OpenAPI document. */
  get byField(): Readonly<Record<string, number>> {
    const { timeout_seconds, ...limits } = this.maxima;
    const named = Object.entries(limits).map(([name, max]) => [`limits.${name}`, max] as const);
    return { timeout_seconds, ...Object.fromEntries(named) };
  }

  /**
   * With a script type, also checks its floors. Without one, the decider checks them: it knows the stored script type.
   * @throws InvalidFields that names every limit above its maximum or below its floor
   */
  check({ script_type, timeout_seconds, limits = {} }: RequestedLimits): void {
    const { maxima } = this;
    const asked: [field: string, value: number | undefined, max: number][] = [
      ['timeout_seconds', timeout_seconds, maxima.timeout_seconds],
      ['limits.memory_mb', limits.memory_mb, maxima.memory_mb],
      ['limits.cpus', limits.cpus, maxima.cpus],
      ['limits.pids', limits.pids, maxima.pids],
    ];
    const above = asked
      .filter(([, value, max]) => value !== undefined && value > max)
      .map(([field, value, max]) => ({ field, value: String(value), tag: 'max', message: `must be at most ${max}` }));
    const below = script_type === undefined ? [] : limitsBelowFloor(script_type, limits);
    if (above.length + below.length > 0) throw new InvalidFields([...above, ...below]);
  }
}
