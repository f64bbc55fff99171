import { randomInt, randomUUID } from 'node:crypto';

import type Docker from 'dockerode';

import { Unavailable } from '../../kernel/errors.js';
import {
  Sandbox,
  SandboxFailure,
  type SandboxHealth,
  type SandboxJob,
  type SandboxOutcome,
} from '../../kernel/ports/sandbox.js';
import { silentLog, type Log } from '../telemetry/log.js';
import { inSpan } from '../telemetry/trace-context.js';
import { ColdRun, REPORT_GRACE_MS } from './cold-run.js';
import { ContainerLife } from './container-life.js';
import { LABEL_MANAGED, LABEL_WORKER, containerSpec, type ContainerSettings } from './container-spec.js';
import { connectEngine, engineCall, isEngineAway } from './engine.js';
import { EngineMonitor } from './engine-monitor.js';
import { checkJob } from './job-input.js';
import { Removals } from './removals.js';

/** Every container has a uid of its own (limits per uid are shared otherwise), far from any the host knows. */
const UID_FIRST = 100_000;
const UID_END = 2_000_000_000;
const REMOVALS_AT_ONCE = 4;

export interface DockerSandboxOptions extends ContainerSettings {
  /** `unix:///path`, `tcp://host:port` or `http://host:port`. */
  readonly endpoint: string;
  /** `<namespace>.<id>`: the sweep touches containers of its own namespace only. */
  readonly workerId: string;
  /** Kept of each of stdout and stderr. */
  readonly outputBytesMax: number;
  /** How long a run that was told to end may take to report. */
  readonly reportGraceMs?: number;
  readonly log?: Log;
}

/** Cold single-use containers: one is created for each job, hardened, and removed after it. */
export class DockerSandbox extends Sandbox {
  private readonly docker: Docker;
  private readonly monitor: EngineMonitor;
  private readonly log: Log;
  private readonly closing = new AbortController();
  /** By container name. */
  private readonly running = new Map<string, Promise<unknown>>();
  private readonly removals = new Removals();

  constructor(private readonly options: DockerSandboxOptions) {
    super();
    if (namespaceOf(options.workerId) === '') throw new Error('a worker id is <namespace>.<id>');
    this.docker = connectEngine(options.endpoint);
    this.monitor = new EngineMonitor(this.docker, options.runtime);
    this.log = options.log ?? silentLog;
  }

  override run(job: SandboxJob, options: Parameters<Sandbox['run']>[1]): Promise<SandboxOutcome> {
    const name = `voidrunner-${randomUUID()}`;
    const attributes = { 'voidrunner.execution': job.executionId, 'voidrunner.attempt': job.attempt };
    const work = inSpan('sandbox.run', { attributes }, () => this.coldRun(name, job, options)).catch((error: unknown) =>
      this.failed(error),
    );
    this.running.set(name, work);
    const forget = () => this.running.delete(name);
    work.then(forget, forget);
    return work;
  }

  override health(): Promise<SandboxHealth> {
    return this.monitor.health();
  }

  /** Those of this very worker go too where no run knows them: an answer to create or remove was lost. */
  override sweep(isAlive: (workerId: string) => boolean): Promise<number> {
    const { workerId } = this.options;
    return this.removeWhere((name, owner) => {
      if (owner === workerId) return !this.running.has(name) && !this.removals.has(name);
      return namespaceOf(owner) === namespaceOf(workerId) && !isAlive(owner);
    });
  }

  override async close(): Promise<void> {
    this.closing.abort();
    await this.idle();
    await this.removeWhere((_, owner) => owner === this.options.workerId).catch((error: unknown) => {
      this.log.warn({ err: error }, 'containers of this worker not removed; another worker’s sweep will');
    });
  }

  /** Resolves when no run is under way and no container of an ended one is left. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.running.values());
    await this.removals.idle();
  }

  private async coldRun(
    name: string,
    job: SandboxJob,
    { signal, onOutput }: Parameters<Sandbox['run']>[1],
  ): Promise<SandboxOutcome> {
    checkJob(job);
    if (this.closing.signal.aborted) throw new SandboxFailure('the sandbox is closed', false);
    const facts = await this.monitor.facts().catch((error: unknown) => {
      throw new SandboxFailure(`Docker engine: ${(error as Error).message}`, false, { cause: error });
    });
    await this.removals.room();
    const owner = { name, workerId: this.options.workerId, uid: randomInt(UID_FIRST, UID_END) };
    return new ColdRun({
      job,
      container: new ContainerLife(this.docker, name),
      spec: containerSpec(job, owner, this.options, facts.cpus),
      outputBytesMax: this.options.outputBytesMax,
      cancelled: signal,
      closing: this.closing.signal,
      onOutput,
      removals: this.removals,
      reportGraceMs: this.options.reportGraceMs ?? REPORT_GRACE_MS,
      log: this.log,
    }).run();
  }

  /** An engine that was away is an outage, so that the attempt does not count where no user code had started. */
  private failed(error: unknown): never {
    if (!(error instanceof SandboxFailure) || !isEngineAway(error.cause)) throw error;
    this.monitor.doubt();
    const { message, userCodeStarted, cause } = error;
    throw new SandboxFailure(message, userCodeStarted, { cause: new Unavailable('docker', message, { cause }) });
  }

  private async removeWhere(isOurs: (name: string, workerId: string) => boolean): Promise<number> {
    const all = await engineCall('list', (abortSignal) =>
      this.docker.listContainers({ all: true, filters: { label: [`${LABEL_MANAGED}=1`] }, abortSignal }),
    );
    const names = all
      .map(({ Names, Labels }) => ({ name: Names[0]?.replace(/^\//, '') ?? '', owner: Labels[LABEL_WORKER] ?? '' }))
      .filter(({ name, owner }) => isOurs(name, owner))
      .map(({ name }) => name);
    const queue = names.values();
    const remover = async () => {
      for (const name of queue) await new ContainerLife(this.docker, name).remove();
    };
    await Promise.all(Array.from({ length: REMOVALS_AT_ONCE }, remover));
    return names.length;
  }
}

const namespaceOf = (workerId: string): string => workerId.slice(0, Math.max(0, workerId.indexOf('.')));
