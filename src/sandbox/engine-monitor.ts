import type Docker from 'dockerode';

import type { SandboxHealth } from './sandbox.js';
import type { EngineFindings } from './diagnosis.js';
import { engineCall } from './engine.js';
import { askEngine } from './engine-findings.js';

/** An answer is good for this long; that the engine is away, for less: work waits for it to come back. */
const HEALTH_AGE_MS_MAX = 1_000;
const AWAY_AGE_MS_MAX = 200;

/** What dockerode takes and its types do not say. */
interface AbortablePing {
  ping(options: { abortSignal: AbortSignal }): Promise<unknown>;
}

/** Knows whether the engine answers and what it is. Asked anew after every outage: it may be another one. */
export class EngineMonitor {
  private known: EngineFindings | null = null;
  private last: { readonly health: SandboxHealth; readonly at: number } | null = null;
  private asking: Promise<SandboxHealth> | null = null;

  constructor(
    private readonly docker: Docker,
    private readonly runtime: string | undefined,
  ) {}

  /** One ping a second at most, however many ask; five while the engine is away. Never throws. */
  health(): Promise<SandboxHealth> {
    const ageMsMax = this.last?.health.healthy ? HEALTH_AGE_MS_MAX : AWAY_AGE_MS_MAX;
    if (this.last && performance.now() - this.last.at < ageMsMax) return Promise.resolve(this.last.health);
    this.asking ??= this.ask().finally(() => (this.asking = null));
    return this.asking;
  }

  /** A call found the engine away: the next one to ask gets news, not memories. */
  doubt(): void {
    this.last = null;
  }

  /** @throws Error where the engine does not answer, or does not know the runtime */
  async facts(): Promise<EngineFindings> {
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
      await engineCall('ping', (abortSignal) => (this.docker as unknown as AbortablePing).ping({ abortSignal }));
      const { version, runtime, runtimeVersion, cgroupVersion } = await this.facts();
      const runtimeDetail = runtimeVersion === null ? runtime : `${runtime} ${runtimeVersion}`;
      return { healthy: true, detail: `Docker ${version}, ${runtimeDetail}, cgroup v${cgroupVersion}` };
    } catch (error) {
      this.known = null;
      return { healthy: false, detail: `Docker engine: ${(error as Error).message}` };
    }
  }

  private async learn(): Promise<EngineFindings> {
    const found = await askEngine(this.docker, this.runtime);
    if (found.runtimesKnown.includes(found.runtime)) return found;
    throw new Error(`does not know the runtime ${found.runtime}, only ${found.runtimesKnown.join(', ')}`);
  }
}
