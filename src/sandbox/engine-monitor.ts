import type Docker from 'dockerode';

import type { EngineFindings } from './diagnosis.js';
import { askEngine } from './engine-findings.js';
import { engineCall } from './engine.js';
import type { SandboxHealth } from './sandbox.js';

/** How long a result is cached. Shorter while the engine is down, since work waits for it to come back. */
const HEALTH_AGE_MS_MAX = 1_000;
const UNHEALTHY_AGE_MS_MAX = 200;

/** Options that dockerode accepts but its types lack. */
interface AbortablePing {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
}

/** Reports the engine's health and facts. The facts are read again after every outage: it may be another engine. */
export class EngineMonitor {
  private known: EngineFindings | null = null;
  private last: { readonly health: SandboxHealth; readonly at: number } | null = null;
  private pending: Promise<SandboxHealth> | null = null;

  constructor(
    private readonly docker: Docker,
    private readonly runtime: string | undefined,
  ) {}

  /** At most one ping per second for all callers together; five while the engine is down. Never throws. */
  health(): Promise<SandboxHealth> {
    const ageMsMax = this.last?.health.healthy ? HEALTH_AGE_MS_MAX : UNHEALTHY_AGE_MS_MAX;
    if (this.last && performance.now() - this.last.at < ageMsMax) return Promise.resolve(this.last.health);
    this.pending ??= this.refresh().finally(() => (this.pending = null));
    return this.pending;
  }

  /** A call found the engine unavailable: drops the cached result, so that the next caller gets a new one. */
  invalidate(): void {
    this.last = null;
  }

  /** @throws Error if the engine does not respond, or does not know the runtime */
  async facts(): Promise<EngineFindings> {
    this.known ??= await this.readFacts();
    return this.known;
  }

  private async refresh(): Promise<SandboxHealth> {
    const health = await this.probe();
    this.last = { health, at: performance.now() };
    return health;
  }

  private async probe(): Promise<SandboxHealth> {
    try {
      await engineCall('ping', (abortSignal) => (this.docker as unknown as AbortablePing).ping({ abortSignal }));
      const { version, runtime, runtimeVersion, cgroupVersion } = await this.facts();
      const runtimeDetail = runtimeVersion === null ? runtime : `${runtime} ${runtimeVersion}`;
      return { healthy: true, detail: `Docker ${version}, ${runtimeDetail}, cgroup v${cgroupVersion}` };
    } catch (error) {
      this.known = null;
      return { healthy: false, detail: `Docker engine: ${(error as Error).message}` };
    }
  }

  private async readFacts(): Promise<EngineFindings> {
    const found = await askEngine(this.docker, this.runtime);
    if (found.runtimesKnown.includes(found.runtime)) return found;
    throw new Error(`does not know the runtime ${found.runtime}, only ${found.runtimesKnown.join(', ')}`);
  }
}
