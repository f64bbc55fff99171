import { Unavailable } from '../kernel/errors.js';
import { baseOf, type CellBase, type CellJob, programJob, repeatedJob } from './cell-job.js';
import type { CellJobs } from './cell-jobs.js';
import { type CellHost, kindFor } from './cell-kind.js';
import { IsolationRefused } from './cell-run.js';
import { FILES_MAX, type FilesMax } from './collected-files.js';
import type { Compiler } from './compiler.js';
import type { EngineMonitor } from './engine-monitor.js';
import type { HostIsolation } from './host-isolation.js';
import type { HostPreparation } from './host-preparation.js';
import { checkJob, OF_RUN } from './job-input.js';
import { RunOutput } from './run-output.js';
import type { RuntimesOnEngine } from './runtimes-on-engine.js';
import {
  type CompilerEnd,
  LEFT_NOTHING,
  type Preparation,
  type ProgramRun,
  type RunOptions,
  SandboxFailure,
  type SandboxJob,
  type SandboxLimits,
  type SandboxOutcome,
} from './sandbox.js';

export const NESTING_REFUSED = 'this host refuses nested namespaces, and EXECUTOR_ISOLATION_REQUIRED requires them';

export interface ProgramOptions {
  readonly outputBytesMax: number;
  readonly filesMax?: FilesMax;
  readonly reportGraceMs?: number;
  readonly isNestingRequired?: boolean;
}

/** What a compiler made of a job; `program` is null for a runtime without one. */
interface Made {
  readonly image: string;
  readonly program: Uint8Array | null;
  readonly compile: CompilerEnd | null;
}

/** Compiles programs, if they have to be, and runs them, each run as a job of a cell. */
export class Programs {
  constructor(
    private readonly parts: {
      readonly jobs: CellJobs;
      readonly compiler: Compiler;
      readonly runtimes: RuntimesOnEngine;
      readonly monitor: EngineMonitor;
      readonly isolation: HostIsolation;
      readonly preparation: HostPreparation;
      readonly closing: AbortSignal;
    },
    private readonly options: ProgramOptions,
  ) {}

  /** @throws SandboxFailure, DomainError `invalid_sandbox_input` */
  async runOnce(job: SandboxJob, options: RunOptions): Promise<SandboxOutcome> {
    checkJob(job);
    const made = await this.make(job, options);
    if (!('image' in made)) return made.outcome;
    return this.runProgram(job, made, programJob(job, made.program), options);
  }

  /** @throws SandboxFailure, DomainError `invalid_sandbox_input` */
  async prepare(job: SandboxJob, options: Pick<RunOptions, 'signal'>): Promise<Preparation> {
    checkJob(job);
    const made = await this.make(job, options);
    if (!('image' in made)) return { kind: 'ended', outcome: made.outcome };
    const base: CellBase = baseOf(job, made.program);
    const run = async (of: ProgramRun, each: RunOptions): Promise<SandboxOutcome> => {
      const files = [...(job.input.files ?? []), ...(of.files ?? [])];
      checkJob({ ...job, ...of, input: { ...job.input, ...of, files } }, OF_RUN);
      return this.runProgram(job, made, repeatedJob(job, base, of), each);
    };
    return { kind: 'ready', program: { compile: made.compile, run } };
  }

  private make(
    job: SandboxJob,
    { signal }: Pick<RunOptions, 'signal'>,
  ): Promise<Made | { readonly outcome: SandboxOutcome }> {
    return this.onHost(async (host) => {
      if (signal.aborted) return { outcome: this.notStarted('cancelled', null) };
      const { compile } = job.runtime;
      const image = await this.parts.runtimes.imageFor(job);
      if (!compile) return { image, program: null, compile: null };
      const common = { cancelled: signal, closing: this.parts.closing, reportGraceMs: this.options.reportGraceMs };
      const compiled = await this.parts.compiler.compile(job, compile, image, host, common);
      if ('program' in compiled) return { image, program: compiled.program, compile: compiled.end };
      if (compiled.end === null) return { outcome: this.notStarted('cancelled', null) };
      return { outcome: { ...this.notStarted('compile', image), notes: compiled.notes, compile: compiled.end } };
    });
  }

  private runProgram(
    { runtime, userId }: SandboxJob,
    { image, compile }: Made,
    job: CellJob,
    { signal: cancelled, onOutput, interactive }: RunOptions,
  ): Promise<SandboxOutcome> {
    return this.onHost(async (host) => {
      const { outputBytesMax, reportGraceMs, filesMax = FILES_MAX } = this.options;
      const place = { userId, kind: kindFor(runtime, image, job.limits, host), hostCpus: host.cpus };
      const ran = await this.parts.jobs.run(job, place, {
        ...{ cancelled, closing: this.parts.closing, reportGraceMs, filesMax, onOutput, interactive },
        outputBytesMax: Math.min(outputBytesMax, outputBytesOf(job.limits)),
      });
      return { ...(ran ?? this.notStarted('cancelled', null)), compile };
    });
  }

  /** With the isolation that the host allows: again without namespaces if it turns out to refuse them. */
  private async onHost<T>(work: (host: CellHost) => Promise<T>): Promise<T> {
    const { monitor, isolation, preparation, closing } = this.parts;
    if (closing.aborted) throw new SandboxFailure('the sandbox is closed', false);
    const { cpus } = await monitor.facts().catch((error: unknown) => {
      throw new SandboxFailure(`Docker engine: ${(error as Error).message}`, false, { cause: error });
    });
    preparation.fillPool();
    const allowed = isolation.current;
    try {
      return await work(this.hostWith(allowed, cpus));
    } catch (error) {
      if (!(error instanceof IsolationRefused) || allowed === 'plain') throw error;
      // Does the host refuse them, or did memory or processes run out just now?
      if (isolation.current === 'nested') await preparation.testIsolation(cpus);
      if (isolation.current === 'nested') throw error;
      return work(this.hostWith('plain', cpus));
    }
  }

  /** An outage: the attempt does not count, and the worker takes no more jobs until the host allows nesting. */
  private hostWith(isolation: CellHost['isolation'], cpus: number): CellHost {
    if (isolation === 'nested' || !this.options.isNestingRequired) return { isolation, cpus };
    throw new SandboxFailure(NESTING_REFUSED, false, { cause: new Unavailable('docker', NESTING_REFUSED) });
  }

  private notStarted(reason: 'cancelled' | 'compile', imageDigest: string | null): SandboxOutcome {
    const output = new RunOutput(this.options.outputBytesMax).result(null);
    const figures = {
      wallTimeMs: 0,
      cpuTimeMs: null,
      memoryPeakBytes: null,
      oomKills: 0,
    };
    const end = { reason, returnCode: null, signal: null, imageDigest, compile: null };
    return { ...end, ...output, ...figures, ...LEFT_NOTHING, startedAt: new Date() };
  }
}

const outputBytesOf = ({ output_bytes }: SandboxLimits): number => output_bytes ?? Number.POSITIVE_INFINITY;
