import type { RuntimeOffer } from '../../src/runtimes/runtime-offer.js';
import {
  type Preparation,
  type ProgramRun,
  type RunOptions,
  Sandbox,
  type SandboxFigures,
  type SandboxHealth,
  type SandboxJob,
  type SandboxOutcome,
} from '../../src/sandbox/sandbox.js';

type Program = (job: SandboxJob, signal: AbortSignal) => Promise<SandboxOutcome>;

const text = (written: string) => ({
  content: Buffer.from(written),
  bytesTotal: Buffer.byteLength(written),
  truncated: false,
});

export const anOutcome = (changes: Partial<SandboxOutcome> = {}): SandboxOutcome => ({
  reason: 'exit_code',
  returnCode: 0,
  signal: null,
  stdout: text(''),
  stderr: text(''),
  startedAt: new Date(0),
  imageDigest: null,
  wallTimeMs: 20,
  cpuTimeMs: 10,
  memoryPeakBytes: 1_000_000,
  oomKills: 0,
  notes: [],
  files: [],
  skippedFiles: [],
  hasAllFiles: true,
  compile: null,
  ...changes,
});

/** A program that prints and exits. */
export const exits =
  (returnCode: number, stdout = '', stderr = ''): Program =>
  () =>
    Promise.resolve(anOutcome({ returnCode, stdout: text(stdout), stderr: text(stderr) }));

/** A program that prints, and then runs until it is killed. */
export const runsUntilKilled =
  (stdout = ''): Program =>
  async (_, signal) => {
    if (!signal.aborted) await new Promise((killed) => signal.addEventListener('abort', killed, { once: true }));
    return anOutcome({ reason: 'cancelled', returnCode: null, stdout: text(stdout) });
  };

/** The port without an engine: programs are functions. */
export class ScriptedSandbox extends Sandbox {
  readonly jobs: SandboxJob[] = [];
  running = 0;
  runningMax = 0;
  healthy = true;
  started = false;
  closed = false;
  offered: readonly RuntimeOffer[] = [];
  /** Instead of one that is ready. */
  preparation: Preparation | null = null;
  /** Workers that have containers in this sandbox. */
  owners: string[] = [];

  constructor(public program: Program = exits(0)) {
    super();
  }

  override async run(job: SandboxJob, { signal }: { signal: AbortSignal }): Promise<SandboxOutcome> {
    this.jobs.push(job);
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    try {
      return await this.program(job, signal);
    } finally {
      this.running -= 1;
    }
  }

  /** Each run counts as a job: that of the program, with what the run has instead. */
  override prepare(job: SandboxJob): Promise<Preparation> {
    const run = ({ files = [], limits, timeoutMs, ...own }: ProgramRun, { signal }: RunOptions) =>
      this.run(
        { ...job, input: { ...job.input, ...own, files: [...(job.input.files ?? []), ...files] }, limits, timeoutMs },
        { signal },
      );
    return Promise.resolve(this.preparation ?? { kind: 'ready', program: { compile: null, run } });
  }

  override start(): void {
    this.started = true;
  }

  override get figures(): SandboxFigures {
    return {
      ready: 0,
      resting: 0,
      busy: this.running,
      refilling: 0,
      coldStarts: this.jobs.length,
      programsFound: 0,
      programsMissed: 0,
    };
  }

  override offers(): Promise<readonly RuntimeOffer[]> {
    return Promise.resolve(this.offered);
  }

  override health(): Promise<SandboxHealth> {
    return Promise.resolve({ healthy: this.healthy, detail: 'scripted' });
  }

  override sweep(isAlive: (workerId: string) => boolean): Promise<number> {
    const before = this.owners.length;
    this.owners = this.owners.filter(isAlive);
    return Promise.resolve(before - this.owners.length);
  }

  override close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}
