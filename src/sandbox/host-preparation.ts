import { ignoreErrors } from '../platform/async/ignore-errors.js';
import type { Log } from '../platform/telemetry/log.js';
import { type CellHost, type CellKind, isSameKind } from './cell-kind.js';
import type { CellPool } from './cell-pool.js';
import type { EngineMonitor } from './engine-monitor.js';
import type { HostIsolation } from './host-isolation.js';
import { knownEscapes } from './known-escapes.js';
import type { RuntimesOnEngine } from './runtimes-on-engine.js';

/** Tests which isolation the host allows, and then says which cells the pool keeps ready. */
export class HostPreparation {
  private started = false;
  private filled = false;
  private readyKinds: readonly CellKind[] = [];

  constructor(
    private readonly parts: {
      readonly pool: CellPool;
      readonly monitor: EngineMonitor;
      readonly isolation: HostIsolation;
      readonly runtimes: RuntimesOnEngine;
      readonly log: Log;
      /** Of work in the background: closing waits for it. */
      readonly track: <T>(work: Promise<T>) => Promise<T>;
    },
    private readonly poolSize: number,
  ) {}

  start(): void {
    this.started = true;
    void this.warnOfEscapes();
    this.fillPool();
  }

  /** Runs once, in the background: at the start or, if the engine was down then, at the first run that reaches it. */
  fillPool(): void {
    if (!this.started || this.poolSize === 0 || this.filled) return;
    this.filled = true;
    this.parts.track(this.testHost()).catch((error: unknown) => {
      this.filled = false;
      this.parts.log.warn({ err: error }, 'the pool could not be filled; the next run retries');
    });
  }

  /** In the background. */
  retestIsolation(): void {
    this.parts
      .track(this.testHost())
      .catch((error: unknown) => this.parts.log.warn({ err: error }, 'the retest of nested namespaces failed'));
  }

  /** @throws SandboxFailure if no cell can run */
  async testIsolation(cpus: number): Promise<void> {
    await this.keepReady({ isolation: await this.parts.isolation.test(cpus), cpus });
  }

  /** An image may have been built, replaced or removed. */
  async imagesChecked(): Promise<void> {
    if (!this.filled) return;
    const { cpus } = await this.parts.monitor.facts();
    await this.keepReady({ isolation: this.parts.isolation.current, cpus });
  }

  /** `voidrunner doctor` gives advice about it. */
  private async warnOfEscapes(): Promise<void> {
    const facts = await ignoreErrors(this.parts.monitor.facts(), 'health() reports an engine that is down');
    const escapes = facts ? knownEscapes(facts.runtime, facts.runtimeVersion) : [];
    if (!facts || escapes.length === 0) return;
    const { runtime, runtimeVersion } = facts;
    this.parts.log.warn({ runtime, runtimeVersion, escapes }, 'this OCI runtime has known escapes');
  }

  private async testHost(): Promise<void> {
    await this.testIsolation((await this.parts.monitor.facts()).cpus);
  }

  private async keepReady(host: CellHost): Promise<void> {
    if (!this.started) return;
    const kinds = await this.parts.runtimes.readyKinds(host);
    if (areSameKinds(kinds, this.readyKinds)) return;
    this.readyKinds = kinds;
    this.parts.pool.keepReady(kinds);
  }
}

const areSameKinds = (some: readonly CellKind[], others: readonly CellKind[]): boolean =>
  some.length === others.length && some.every((kind, index) => isSameKind(kind, others[index]!));
