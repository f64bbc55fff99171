import type Docker from 'dockerode';

import type { SandboxHealth } from '../../kernel/ports/sandbox.js';
import { engineCall } from './engine.js';

/** An answer is good for this long. */
const HEALTH_AGE_MS_MAX = 1_000;

export interface EngineFacts {
  readonly version: string;
  readonly cpus: number;
  /** The OCI runtime in force and, where the engine tells it, its version. */
  readonly runtime: string;
  readonly cgroupVersion: string;
}

/** What dockerode takes and its types do not say. */
interface AbortableQueries {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
  info(options: { abortSignal: AbortSignal }): Promise<{
    readonly NCPU: number;
    readonly DefaultRuntime: string;
    readonly Runtimes: Readonly<Record<string, unknown>>;
    readonly CgroupVersion?: string;
  }>;
  version(options: { abortSignal: AbortSignal }): Promise<Docker.DockerVersion>;
}

/** Knows whether the engine answers and what it is. Asked anew after every outage: it may be another one. */
export class EngineMonitor {
  private known: EngineFacts | null = null;
  private last: { readonly health: SandboxHealth; readonly at: number } | null = null;
  private asking: Promise<SandboxHealth> | null = null;

  private readonly docker: AbortableQueries;

  constructor(
    docker: Docker,
    private readonly runtime: string | undefined,
  ) {
    this.docker = docker;
  }

  /** One ping a second at most, however many ask. Never throws. */
  health(): Promise<SandboxHealth> {
    if (this.last && performance.now() - this.last.at < HEALTH_AGE_MS_MAX) return Promise.resolve(this.last.health);
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.asking;
  }

  /** A call found the engine away: the next one to ask gets news, not memories. */
  doubt(): void {
    this.last = null;
  }

  /** @throws Error where the engine does not answer, or does not know the runtime */
  async facts(): Promise<EngineFacts> {
    this.known ??= await this.learn();
    return this.known;
  }

  private async ask(): Promise<SandboxHealth> {
    const health = await this.probe();
    this.last = { health, at: performance.now() };
    return health;
  }

  private async probe(): Promise<SandboxHealth> {
    try {
      await engineCall('ping', (abortSignal) => this.docker.ping({ abortSignal }));
      const { version, runtime, cgroupVersion } = await this.facts();
      return { healthy: true, detail: `Docker ${version}, ${runtime}, cgroup v${cgroupVersion}` };
    } catch (error) {
      this.known = null;
      return { healthy: false, detail: `Docker engine: ${(error as Error).message}` };
    }
  }

  private async learn(): Promise<EngineFacts> {
    const [info, version] = await engineCall('info', (abortSignal) =>
      Promise.all([this.docker.info({ abortSignal }), this.docker.version({ abortSignal })]),
    );
    const runtime = this.runtime ?? info.DefaultRuntime;
    if (!Object.hasOwn(info.Runtimes, runtime)) throw new Error(`does not know the runtime ${runtime}`);
    const component = version.Components?.find(({ Name }) => Name === runtime);
    return {
      version: version.Version,
      cpus: info.NCPU,
      runtime: component ? `${runtime} ${component.Version}` : runtime,
      cgroupVersion: info.CgroupVersion ?? '1',
    };
  }
}
