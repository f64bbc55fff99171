import { randomInt, randomUUID } from 'node:crypto';

import type Docker from 'dockerode';

import { Unavailable } from '../kernel/errors.js';
import { silentLog, type Log } from '../platform/telemetry/log.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { RuntimeOffer } from '../runtimes/runtime-offer.js';
import type { CellKind, Isolation } from './cell-kind.js';
import { CellJobs } from './cell-jobs.js';
import { CellPool } from './cell-pool.js';
import { Cell } from './cell.js';
import { CompileCache } from './compile-cache.js';
import { Compiler } from './compiler.js';
import { ContainerLife } from './container-life.js';
import { containerSpec } from './container-spec.js';
import { CpuPlacement } from './cpu-placement.js';
import type { DockerSandboxOptions } from './docker-sandbox-options.js';
import { EngineMonitor } from './engine-monitor.js';
import { connectEngine, isEngineUnavailable } from './engine.js';
import { HostIsolation } from './host-isolation.js';
import { HostPreparation } from './host-preparation.js';
import { ManagedContainers, namespaceOf } from './managed-containers.js';
import { type PreloadFinding, testPreloads, warnOfPreload } from './preload-findings.js';
import { NESTING_REFUSED, Programs } from './programs.js';
import { Removals } from './removals.js';
import { type PresentRuntime, RuntimesOnEngine } from './runtimes-on-engine.js';
import {
  type Preparation,
  type PreparedProgram,
  type RunOptions,
  Sandbox,
  SandboxFailure,
  type SandboxFigures,
  type SandboxHealth,
  type SandboxJob,
  type SandboxOutcome,
} from './sandbox.js';

/** Every container has its own uid (otherwise they share limits per uid), far from the uids of the host. */
const UID_FIRST = 100_000;
const UID_END = 2_000_000_000;
/** A new cell costs about 250 ms of CPU: with 100 jobs per cell, that was a sixth of the cost of a bash job. */
const CELL_JOBS_MAX = 500;
const CELL_AGE_MS_MAX = 5 * 60_000;
const CELL_REST_MS = 30_000;
const CELLS_MAX = 64;
/** Starting an interpreter takes as much CPU time as a few programs save (ADR 48). */
const PRELOAD_AFTER_JOBS = 2;

/** Runs jobs in cells: hardened containers of one user each, in which every job has its own namespaces. */
export class DockerSandbox extends Sandbox {
  private readonly docker: Docker;
  private readonly monitor: EngineMonitor;
  private readonly containers: ManagedContainers;
  private readonly log: Log;
  private readonly closing = new AbortController();
  private readonly runs = new Set<Promise<unknown>>();
  private readonly removals = new Removals();
  private readonly pool: CellPool;
  private readonly isolation: HostIsolation;
  private readonly runtimes: RuntimesOnEngine;
  private readonly compileCache: CompileCache;
  private readonly programs: Programs;
  private readonly preparation: HostPreparation;

  constructor(private readonly options: DockerSandboxOptions) {
    super();
    if (namespaceOf(options.workerId) === '') throw new Error('a worker id must have the form <namespace>.<id>');
    this.docker = connectEngine(options.endpoint);
    this.monitor = new EngineMonitor(this.docker, options.runtime);
    this.containers = new ManagedContainers(this.docker);
    this.log = options.log ?? silentLog;
    this.compileCache = new CompileCache(options.programs, this.log);
    this.pool = new CellPool(
      {
        warmPerKind: options.poolSize ?? 0,
        restMs: options.isolation === 'single' ? 0 : (options.cellRestMs ?? CELL_REST_MS),
        jobsMax: options.cellJobsMax ?? CELL_JOBS_MAX,
        ageMsMax: CELL_AGE_MS_MAX,
        cellsMax: options.cellsMax ?? CELLS_MAX,
        preloadsColdCells: this.preloadAfterJobs === 0,
      },
      (kind) => this.newCell(kind),
      this.removals,
      this.log,
    );
    this.runtimes = new RuntimesOnEngine(this.docker, options.runtimes);
    this.isolation = new HostIsolation(
      this.pool,
      () => this.runtimes.any(),
      this.closing.signal,
      this.log,
      options.isolationRetestMs,
    );
    const { pool, monitor, isolation, runtimes, log, preloadAfterJobs } = this;
    const track = <T>(work: Promise<T>) => this.track(work);
    const jobs = new CellJobs({ pool, cpus: new CpuPlacement(), runtimes, log, preloadAfterJobs });
    const compiler = new Compiler(jobs, this.compileCache, (work) => void track(work));
    const preparation = new HostPreparation({ pool, monitor, isolation, runtimes, log, track }, options.poolSize ?? 0);
    const closing = this.closing.signal;
    this.preparation = preparation;
    this.programs = new Programs({ jobs, compiler, runtimes, monitor, isolation, preparation, closing }, options);
  }

  override start(): void {
    this.preparation.start();
  }

  override async offers(): Promise<readonly RuntimeOffer[]> {
    const present = await this.lookAtImages().catch((error: unknown) => {
      throw new Unavailable('docker', (error as Error).message, { cause: error });
    });
    const isPreloading = this.isPreloading && this.isolation.current === 'nested';
    return present.map(({ runtime: { name, preload }, image: { digest, versions } }) => ({
      runtime: name,
      image_digest: digest,
      version: versions[name] ?? null,
      preloaded: isPreloading && preload !== undefined,
    }));
  }

  override get figures(): SandboxFigures {
    const { found, missed } = this.compileCache.figures;
    return { ...this.pool.figures, programsFound: found, programsMissed: missed };
  }

  /** Tests in a real cell which isolation this host allows. @throws SandboxFailure if no cell can run */
  async hostIsolation(): Promise<Isolation> {
    return this.isolation.test((await this.monitor.facts()).cpus);
  }

  /** Whether cells are charged for the kernel memory they use; null before {@link hostIsolation}, or if unknown. */
  get chargesKernelMemory(): boolean | null {
    return this.isolation.chargesKernelMemory;
  }

  /** Tests in real cells whether their preloaded interpreters work. */
  async preloads(): Promise<readonly PreloadFinding[]> {
    const { cpus } = await this.monitor.facts();
    if (!this.isPreloading || this.isolation.current === 'plain') return [];
    const preloading = (await this.runtimes.present()).filter(({ runtime }) => runtime.preload);
    return testPreloads(this.pool, preloading, cpus, this.closing.signal);
  }

  override run(job: SandboxJob, options: RunOptions): Promise<SandboxOutcome> {
    const attributes = { 'voidrunner.execution_id': job.executionId, 'voidrunner.attempt': job.attempt };
    return this.attempt(inSpan('sandbox.run', { attributes }, () => this.programs.runOnce(job, options)));
  }

  override async prepare(job: SandboxJob, options: Pick<RunOptions, 'signal'>): Promise<Preparation> {
    const prepared = await this.attempt(this.programs.prepare(job, options));
    if (prepared.kind === 'ended') return prepared;
    const { program } = prepared;
    const run: PreparedProgram['run'] = (of, each) => this.attempt(program.run(of, each));
    return { kind: 'ready', program: { compile: program.compile, run } };
  }

  /** Workers call this all the time, even on a host that refuses their jobs, so it also triggers the retest. */
  override async health(): Promise<SandboxHealth> {
    const health = await this.monitor.health();
    if (health.healthy && this.isolation.isDue) this.preparation.retestIsolation();
    return health.healthy && this.isRefused ? { healthy: false, detail: NESTING_REFUSED } : health;
  }

  /** Also removes this worker's own containers that the pool does not know: a response to create or remove was lost. */
  override sweep(isAlive: (workerId: string) => boolean): Promise<number> {
    const { workerId } = this.options;
    return this.containers.removeWhere((name, owner) => {
      if (owner === workerId) return !this.pool.has(name);
      return namespaceOf(owner) === namespaceOf(workerId) && !isAlive(owner);
    });
  }

  override async close(): Promise<void> {
    this.closing.abort();
    this.pool.close();
    await this.idle();
    await this.containers
      .removeWhere((_, owner) => owner === this.options.workerId)
      .catch((error: unknown) => {
        this.log.warn({ err: error }, 'containers not removed; the sweep of another worker will remove them');
      });
  }

  /** Resolves when no run is under way and all their cells are removed, including resting ones. */
  async idle(): Promise<void> {
    // A run that ends may add a program to the cache.
    while (this.runs.size > 0) await Promise.allSettled(this.runs);
    this.pool.drain();
    await this.pool.idle();
  }

  private async lookAtImages(): Promise<readonly PresentRuntime[]> {
    await this.preparation.imagesChecked();
    return this.runtimes.present();
  }

  private attempt<T>(work: Promise<T>): Promise<T> {
    return this.track(work.catch((error: unknown) => this.failed(error)));
  }

  private track<T>(work: Promise<T>): Promise<T> {
    this.runs.add(work);
    const forget = () => this.runs.delete(work);
    work.then(forget, forget);
    return work;
  }

  private newCell(kind: CellKind): Cell {
    const name = `voidrunner-${randomUUID()}`;
    const owner = { name, workerId: this.options.workerId, uid: randomInt(UID_FIRST, UID_END) };
    // A cell of one job would start an interpreter for one program.
    const settings = { ...this.options, preload: this.isPreloading };
    const onPreloadFailed = (cell: Cell) => warnOfPreload(this.log, cell, 'did not start');
    const spec = containerSpec(kind, owner, settings);
    return new Cell(name, kind, spec, new ContainerLife(this.docker, name), onPreloadFailed);
  }

  private get preloadAfterJobs(): number {
    return this.options.preloadAfterJobs ?? PRELOAD_AFTER_JOBS;
  }

  private get isPreloading(): boolean {
    return this.options.preload === true && this.options.isolation !== 'single';
  }

  private get isRefused(): boolean {
    return this.options.isNestingRequired === true && this.isolation.current === 'plain';
  }

  /** An unavailable engine is an outage, so the attempt does not count unless user code had started. */
  private failed(error: unknown): never {
    if (!(error instanceof SandboxFailure) || !isEngineUnavailable(error.cause)) throw error;
    this.monitor.invalidate();
    // It may come back as another engine.
    this.runtimes.forgetAll();
    const { message, countsAsAttempt, partial, cause } = error;
    const outage = new Unavailable('docker', message, { cause });
    throw new SandboxFailure(message, countsAsAttempt, { cause: outage, partial });
  }
}
