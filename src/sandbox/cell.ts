import type Docker from 'dockerode';

import { SandboxFailure } from './sandbox.js';
import { inSpan } from '../platform/telemetry/trace-context.js';
import type { CellKind } from './cell-kind.js';
import { CellLink } from './cell-link.js';
import type { ContainerLife } from './container-life.js';
import { engineStatus } from './engine.js';
import type { LauncherMessage } from './launcher-messages.js';

/** From the container's start to the launcher's first word. */
const HELLO_TIMEOUT_MS = 20_000;

/** Who hears of the job that runs. */
export interface JobListener {
  onMessage(message: LauncherMessage): void;
  /** The launcher is gone, or the connection to it. */
  lost(error: Error | undefined): void;
}

const NOBODY: JobListener = { onMessage: () => undefined, lost: () => undefined };

/** A container with a launcher in it, which runs one job after another. From its first job on it is one user's. */
export class Cell {
  userId: string | null = null;
  /** Jobs it was given. */
  jobs = 0;
  /** Milliseconds of performance.now(): its first job, and its last job's end. */
  usedSince: number | null = null;
  restingSince = 0;
  /** No job can be sent any more. */
  isClosed = false;
  /** Whether the kernel's memory counts as the cell's; null where nobody can tell. */
  chargesKernelMemory: boolean | null = null;
  /** Resolves when the launcher is gone, or the connection to it; pending while the cell is not open. */
  readonly closed: Promise<Error | undefined>;
  private resolveClosed!: (error?: Error) => void;
  private link: CellLink | null = null;
  private removal: Promise<void> | null = null;
  private listener = NOBODY;
  private lossError: Error | undefined;

  constructor(
    readonly name: string,
    readonly kind: CellKind,
    private readonly spec: Docker.ContainerCreateOptions,
    private readonly container: ContainerLife,
  ) {
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
  }

  get lastWords(): string {
    return this.link?.lastWords ?? '';
  }

  /** Create, attach, start, hello. @throws SandboxFailure, before any user code; the caller removes what there is */
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
        this.listener = { ...NOBODY, onMessage: onMessage };
      });
      const link = new CellLink(await container.attach(), (message) => this.listener.onMessage(message));
      this.link = link;
      void link.closed.then((error) => {
        this.isClosed = true;
        this.lossError = error;
        this.resolveClosed(error);
        this.listener.lost(error);
      });
      await inSpan('container.start', {}, () => container.start());
      await this.within(hello);
    } catch (error) {
      if (error instanceof SandboxFailure) throw error;
      throw new SandboxFailure((error as Error).message, false, { cause: error });
    }
  }

  /** @param listener hears of this job until {@link forget} */
  send(job: Buffer, listener: JobListener): void {
    this.listener = listener;
    this.link!.send(job);
    if (this.isClosed) listener.lost(this.lossError);
  }

  /** The job is over. A cell that kept its listener, or a promise of its own that one waits for, would keep its output. */
  forget(): void {
    this.listener = NOBODY;
  }

  /** Asks for the end of a job; one that is over by then is not harmed. */
  kill(job: number): void {
    this.link?.kill(job);
  }

  /** Cuts the connection; the launcher then ends its job, and itself. */
  abandon(): void {
    this.link?.destroy();
  }

  /** The facts of a container that has ended by itself. */
  postMortem(): ReturnType<ContainerLife['postMortem']> {
    return this.container.postMortem();
  }

  /** @throws the engine's error where the container may still be there */
  remove(): Promise<void> {
    this.abandon();
    this.removal ??= inSpan('container.remove', {}, () => this.container.remove());
    return this.removal;
  }

  private async within(hello: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => (timer = setTimeout(resolve, HELLO_TIMEOUT_MS, 'late')));
    const first = await Promise.race([
      hello.then(() => 'hello' as const),
      this.closed.then((error) => ({ error })),
      late,
    ]);
    clearTimeout(timer);
    if (first === 'hello') return;
    const what = first === 'late' ? `was not ready within ${HELLO_TIMEOUT_MS} ms` : 'ended at once';
    const cause = first === 'late' ? undefined : first.error;
    const words = this.lastWords || cause?.message;
    throw new SandboxFailure(`the launcher ${what}${words ? `: ${words}` : ''}`, false, { cause });
  }

  private refused(error: unknown): never {
    const message = engineStatus(error) === 404 ? `the image ${this.spec.Image} is missing` : (error as Error).message;
    throw new SandboxFailure(message, false, { cause: error });
  }
}
