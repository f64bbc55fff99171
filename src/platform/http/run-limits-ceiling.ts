import { HttpProblem } from './problem.js';

const LIMIT_NAMES = ['memory_mb', 'cpus', 'pids'] as const;
type LimitName = (typeof LIMIT_NAMES)[number];

/** The most a run may ask for: the operator's word, so not part of a schema that is fixed when the code is loaded. */
export class RunLimitsCeiling {
  constructor(private readonly maxima: Readonly<Record<LimitName, number>>) {}

  /** @throws HttpProblem 400 that names every limit above its maximum */
  check(limits: Partial<Record<LimitName, number | undefined>> | undefined): void {
    if (limits === undefined) return;
    const errors = LIMIT_NAMES.filter((name) => (limits[name] ?? 0) > this.maxima[name]).map((name) => ({
      field: `limits.${name}`,
      value: String(limits[name]),
      tag: 'max',
      message: `must be at most ${this.maxima[name]}`,
    }));
    if (errors.length > 0)
      throw new HttpProblem(400, 'validation_failed', 'Validation failed', { validationErrors: errors });
  }
}
