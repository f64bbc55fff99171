import type Docker from 'dockerode';

import { withTimeout } from '../platform/async/timeout.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { CellBase, CellJob } from './cell-job.js';
import type { CellKind } from './cell-kind.js';
import { CellLink } from './cell-link.js';
import type { ContainerLife } from './container-life.js';
import { engineStatus } from './engine.js';
import { encodeBase } from './job-bundle.js';
import type { LauncherMessage, PreloadState } from './launcher-messages.js';
import { SandboxFailure } from './sandbox.js';

/** From the container's start to the launcher's hello. */
const HELLO_TIMEOUT_MS = 20_000;
/** More than the launcher allows its interpreter to start. */
const PRELOAD_TIMEOUT_MS = 15_000;

/** Receives the messages about the job that runs. */
export interface JobListener {
  onMessage(message: LauncherMessage): void;
  /** The launcher has ended, or the connection to it is lost. */
  lost(error: Error | undefined): void;
}

const NO_LISTENER: JobListener = { onMessage: () => undefined, lost: () => undefined };

/** A container with a launcher, which runs one job after another. From its first job on it belongs to one user. */
export class Cell {
  userId: string | null = null;
  /** Number of jobs sent to it. */
  jobs = 0;
  /** Milliseconds of performance.now(): start of its first job, and end of its last job. */
  usedSince: number | null = null;
  restingSince = 0;
  /** No more jobs can be sent. */
  isClosed = false;
  /** Whether kernel memory is charged to the cell; null if unknown. */
  chargesKernelMemory: boolean | null = null;
  private preloaded: Promise<PreloadState> | null = null;
  private onPreload: (state: PreloadState) => void = () => undefined;
  /** Resolves when the launcher has ended, or the connection to it is lost; pending while the cell is not open. */
  readonly closed: Promise<Error | undefined>;
  private resolveClosed!: (error?: Error) => void;
  private link: CellLink | null = null;
  private removal: Promise<void> | null = null;
  private kept: CellBase | null = null;
  private listener = NO_LISTENER;
  private lossError: Error | undefined;

  constructor(
    readonly name: string,
    readonly kind: CellKind,
    private readonly spec: Docker.ContainerCreateOptions,
    private readonly container: ContainerLife,
    private readonly onPreloadFailed: (cell: Cell) => void = () => undefined,
  ) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  /** What the launcher keeps from its last job. */
  get base(): CellBase | null {
    return this.kept;
  }

  get stderr(): string {
    return this.link?.stderr ?? '';
  }

  /** Create, attach, start, hello. @throws SandboxFailure, before any user code; the caller removes the container */
  async open(): Promise<void> {
    const { container, spec } = this;
    try {
      await inSpan('container.create', {}, () => container.create(spec)).catch((error: unknown) => this.refused(error));
      const hello = new Promise<void>((resolve) => {
        const onMessage: JobListener['onMessage'] = (message) => {
          if (message.kind !== 'hello') return;
          const { kernelMemoryBytes } = message;
          this.chargesKernelMemory = kernelMemoryBytes === null ? null : kernelMemoryBytes > 0;
          resolve();
        };
        this.listener = { ...NO_LISTENER, onMessage: onMessage };
      });
      const link = new CellLink(await container.attach(), (message) => this.pass(message));
      this.link = link;
      void link.closed.then((error) => {
        this.isClosed = true;
        this.lossError = error;
        this.resolveClosed(error);
        this.listener.lost(error);
      });
      await inSpan('container.start', {}, () => container.start());
      await this.untilReady(hello);
    } catch (error) {
      if (error instanceof SandboxFailure) throw error;
      throw new SandboxFailure((error as Error).message, false, { cause: error });
    }
  }

  /**
   * Starts the interpreter that programs are forked from, once; jobs that are sent meanwhile wait. Do not call it while
   * a job runs.
   * @returns `none` if cells of this kind have none, or the cell has ended. @throws SandboxFailure
   */
  startInterpreter(): Promise<PreloadState> {
    this.preloaded ??= this.orderInterpreter();
    return this.preloaded;
  }

  /**
   * @param base what the job needs of it; the launcher may have it already
   * @param listener receives the messages about this job until {@link forget}
   */
  send(job: readonly Uint8Array[], base: CellJob['base'], listener: JobListener): void {
    this.listener = listener;
    if (base && base.content !== this.kept) this.link!.sendBase(encodeBase(base.content));
    this.kept = base?.use === 'kept' ? base.content : null;
    this.link!.send(job);
    if (this.isClosed) listener.lost(this.lossError);
  }

  /** The launcher refused it. */
  forgetBase(): void {
    this.kept = null;
  }

  /** The job is over. Keeping the listener, or a promise that it awaits, would keep the job's output in memory. */
  forget(): void {
    this.listener = NO_LISTENER;
  }

  /** To an interactive job that has started. @param bytes none: the end of its standard input */
  addInput(job: number, bytes: Uint8Array): void {
    this.link?.addInput(job, bytes);
  }

  /** Asks the launcher to end a job. Has no effect if the job is already over. */
  kill(job: number): void {
    this.link?.kill(job);
  }

  /** Cuts the connection; the launcher then ends its job and exits. */
  abandon(): void {
    this.link?.destroy();
  }

  /** Exit code and OOM flag of a container that has ended by itself. */
  postMortem(): ReturnType<ContainerLife['postMortem']> {
    return this.container.postMortem();
  }

  /** @throws the engine's error if the container may still exist */
  remove(): Promise<void> {
    this.abandon();
    this.removal ??= inSpan('container.remove', {}, () => this.container.remove());
    return this.removal;
  }

  private pass(message: LauncherMessage): void {
    if (message.kind === 'preload') this.onPreload(message.state);
    else this.listener.onMessage(message);
  }

  private async orderInterpreter(): Promise<PreloadState> {
    if (!this.spec.Cmd?.length || this.isClosed) return 'none';
    const state = new Promise<PreloadState>((resolve) => (this.onPreload = resolve));
    this.link!.preload();
    const reached = await withTimeout(
      Promise.race([state, this.closed.then(() => 'none' as const)]),
      PRELOAD_TIMEOUT_MS,
      () => this.hangs(`did not start its interpreter within ${PRELOAD_TIMEOUT_MS} ms`),
    );
    if (reached === 'failed') this.onPreloadFailed(this);
    return reached;
  }

  private async untilReady(hello: Promise<void>): Promise<void> {
    const lost = this.closed.then((error) => ({ error }));
    const first = await withTimeout(Promise.race([hello, lost]), HELLO_TIMEOUT_MS, () =>
      this.notReady(`was not ready within ${HELLO_TIMEOUT_MS} ms`),
    );
    if (first) throw this.notReady('ended at once', first.error);
  }

  /** No further job can be given to it. */
  private hangs(what: string): SandboxFailure {
    this.abandon();
    return this.notReady(what);
  }

  private notReady(what: string, cause?: Error): SandboxFailure {
    const words = this.stderr || cause?.message;
    return new SandboxFailure(`the launcher ${what}${words ? `: ${words}` : ''}`, false, { cause });
  }

  private refused(error: unknown): never {
    const message = engineStatus(error) === 404 ? `the image ${this.spec.Image} is missing` : (error as Error).message;
    throw new SandboxFailure(message, false, { cause: error });
  }
}
