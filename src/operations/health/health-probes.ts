import { withTimeout } from '../../platform/async/timeout.js';

/** Checks one dependency: resolves if it works, rejects if it does not. */
export type Probe = () => Promise<unknown>;

export const CHECKS = ['database', 'redis', 'nats', 'executor', 'workers'] as const;
export type Check = (typeof CHECKS)[number];
export type Probes = Readonly<Partial<Record<Check, Probe>>>;

/** The totals of all worker processes. */
export interface WorkersReport {
  readonly isRunning: boolean;
  readonly isHealthy: boolean;
  readonly poolSize: number;
  readonly activeWorkers: number;
  readonly unhealthyWorkers: number;
  readonly tasksProcessed: number;
  readonly tasksSuccessful: number;
  readonly tasksFailed: number;
  readonly averageTaskMs: number;
  readonly queuedJobs?: number;
  readonly processes?: number;
}

/** A probe that takes longer has failed. */
const PROBE_TIMEOUT_MS = 2_000;
/** How long a result is reused. Anyone may call the route without limit. */
const RESULT_KEPT_MS = 500;

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<'server' | Check, string>>;
}

/** Probes all dependencies in parallel, with a timeout, and at most twice a second for all callers together. */
export class HealthProbes {
  private latest: { readonly startedAtMs: number; readonly readiness: Promise<Readiness> } | undefined;

  constructor(
    private readonly probes: Probes,
    private readonly options: { timeoutMs?: number; keptMs?: number } = {},
  ) {}

  readiness(): Promise<Readiness> {
    const nowMs = performance.now();
    if (!this.latest || nowMs - this.latest.startedAtMs > (this.options.keptMs ?? RESULT_KEPT_MS)) {
      this.latest = { startedAtMs: nowMs, readiness: this.probeAll() };
    }
    return this.latest.readiness;
  }

  private async probeAll(): Promise<Readiness> {
    const timeoutMs = this.options.timeoutMs ?? PROBE_TIMEOUT_MS;
    const results = await Promise.all(CHECKS.map((check) => resultOf(this.probes[check], timeoutMs)));
    const checks = Object.fromEntries(CHECKS.map((check, index) => [check, results[index]])) as Record<Check, string>;
    return { ready: results.every((result) => result === 'ready'), checks: { server: 'ready', ...checks } };
  }
}

/** Does not expose the error, which could name hosts. A check without a probe in this process does not apply. */
async function resultOf(probe: Probe | undefined, timeoutMs: number): Promise<'ready' | 'not ready'> {
  if (!probe) return 'ready';
  try {
    await withTimeout(probe(), timeoutMs, () => new Error('no response'));
    return 'ready';
  } catch {
    return 'not ready';
  }
}
