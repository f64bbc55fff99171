import { type FieldFault, InvalidFields } from '../../kernel/errors.js';
import { floorOf, type Runtime } from '../../runtimes/runtime.js';
import type { Runtimes } from '../../runtimes/runtimes.js';
import { type LimitFloor, limitsBelowFloor } from '../domain/limit-floors.js';

type LimitName = 'memory_mb' | 'cpus' | 'pids' | 'cpu_time_seconds' | 'output_bytes';

/** What a request asks for; all of it is optional. */
export interface RequestedRun {
  /** Also an alias. */
  readonly script_type?: string | undefined;
  readonly timeout_seconds?: number | undefined;
  readonly limits?: { readonly [Name in LimitName]?: number | null | undefined } | undefined;
}

/** What the operator allows: runtimes and maximum limits. They are not part of the schemas, which are constants. */
export class OperatorRules {
  constructor(
    private readonly maxima: Readonly<Record<'timeout_seconds' | LimitName, number>>,
    private readonly runtimes: Runtimes,
  ) {}

  /** The maxima by field path, for the OpenAPI document. */
  get maximaByField(): Readonly<Record<string, number>> {
    const { timeout_seconds, ...limits } = this.maxima;
    const named = Object.entries(limits).map(([name, max]) => [`limits.${name}`, max] as const);
    return { timeout_seconds, ...Object.fromEntries(named) };
  }

  /** All accepted values of `script_type`, for the OpenAPI document. */
  get scriptTypes(): readonly string[] {
    return this.runtimes.all.flatMap(({ name, aliases }) => [name, ...aliases]);
  }

  /** The least limits of each runtime, by its name: a change of a task is checked with those of the stored task. */
  get floors(): Readonly<Record<string, LimitFloor>> {
    return Object.fromEntries(this.runtimes.all.map((runtime) => [runtime.name, floorOf(runtime)]));
  }

  /**
   * @returns the request with the name of the runtime, for an alias
   * @throws InvalidFields that names an unknown runtime, and every limit above its maximum or, if the request has a
   *   runtime, below its minimum
   * @param at of the request in its body: `overrides.`
   */
  accept<Requested extends RequestedRun>(requested: Requested, at = ''): Requested {
    const { script_type } = requested;
    const runtime = script_type === undefined ? undefined : this.runtimes.find(script_type);
    const faults = [
      ...(script_type !== undefined && !runtime ? [unknownRuntime(at, script_type, this.runtimes.names)] : []),
      ...this.faultsOf({ ...requested, runtime }, at),
    ];
    if (faults.length > 0) throw new InvalidFields(faults);
    return runtime ? { ...requested, script_type: runtime.name } : requested;
  }

  /** Of a request that may have no runtime. */
  faultsOf({ runtime, ...requested }: Omit<RequestedRun, 'script_type'> & { runtime?: Runtime | undefined }, at = '') {
    const faults = [
      ...this.aboveMaxima(requested),
      ...(runtime ? limitsBelowFloor(runtime.name, floorOf(runtime), requested.limits ?? {}) : []),
    ];
    return faults.map((fault) => ({ ...fault, field: `${at}${fault.field}` }));
  }

  /** By its name. */
  runtimeOf(script_type: string): Runtime | undefined {
    return this.runtimes.named(script_type);
  }

  /** For a filter: a runtime that was removed is not unknown to history. */
  nameOf(script_type: string | undefined): string | undefined {
    return script_type === undefined ? undefined : (this.runtimes.find(script_type)?.name ?? script_type);
  }

  private aboveMaxima({ timeout_seconds, limits = {} }: RequestedRun): FieldFault[] {
    const named = Object.entries(limits).map(([name, value]) => [`limits.${name}`, value] as const);
    const asked: Readonly<Record<string, number | null | undefined>> = {
      timeout_seconds,
      ...Object.fromEntries(named),
    };
    return Object.entries(this.maximaByField).flatMap(([field, max]) => {
      const value = asked[field] ?? 0;
      return value > max ? [{ field, value: String(value), tag: 'max', message: `must be at most ${max}` }] : [];
    });
  }
}

const unknownRuntime = (at: string, value: string, names: readonly string[]): FieldFault => ({
  field: `${at}script_type`,
  value,
  tag: 'oneof',
  message: `must be a runtime of this service: ${names.join(', ')}`,
});
