/** One thing the service needs: resolves where it serves, rejects where it does not. */
export type Probe = () => Promise<unknown>;

export const CHECKS = ['database', 'redis', 'nats', 'executor', 'workers'] as const;
export type Check = (typeof CHECKS)[number];
export type Probes = Readonly<Partial<Record<Check, Probe>>>;

/** What all worker processes report together. */
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

/** A probe that hangs is a failed one. */
const PROBE_TIMEOUT_MS = 2_000;
/** Anyone may ask, as often as they like; the dependencies are asked once in as long. */
const ANSWER_KEPT_MS = 500;

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<'server' | Check, string>>;
}

/** Asks the dependencies, together and in bounded time, and at most twice a second whoever asks. */
export class HealthProbes {
  private answer: { readonly askedAtMs: number; readonly readiness: Promise<Readiness> } | undefined;

  constructor(
    private readonly probes: Probes,
    private readonly options: { timeoutMs?: number; keptMs?: number } = {},
  ) {}

  readiness(): Promise<Readiness> {
    const nowMs = performance.now();
    if (!this.answer || nowMs - this.answer.askedAtMs > (this.options.keptMs ?? ANSWER_KEPT_MS)) {
      this.answer = { askedAtMs: nowMs, readiness: this.ask() };
    }
    return this.answer.readiness;
  }

  private async ask(): Promise<Readiness> {
    const timeoutMs = this.options.timeoutMs ?? PROBE_TIMEOUT_MS;
    const answers = await Promise.all(CHECKS.map((check) => answerOf(this.probes[check], timeoutMs)));
    const checks = Object.fromEntries(CHECKS.map((check, index) => [check, answers[index]])) as Record<Check, string>;
    return { ready: answers.every((answer) => answer === 'ready'), checks: { server: 'ready', ...checks } };
  }
}

/** Why it failed stays inside: it would name hosts. A check that this process has no probe for does not apply. */
async function answerOf(probe: Probe | undefined, timeoutMs: number): Promise<'ready' | 'not ready'> {
  if (!probe) return 'ready';
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('no answer')), timeoutMs);
  });
  try {
    await Promise.race([probe(), timeout]);
    return 'ready';
  } catch {
    return 'not ready';
  } finally {
    clearTimeout(timer);
  }
}
