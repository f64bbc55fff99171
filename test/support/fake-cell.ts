import { SandboxFailure } from '../../src/sandbox/sandbox.js';
import { Cell } from '../../src/sandbox/cell.js';
import type { CellKind } from '../../src/sandbox/cell-kind.js';

/** A cell without a container: a test says when it opens, ends and is gone. */
export class FakeCell extends Cell {
  /** Everyone it was ever handed to. */
  readonly users: string[] = [];
  isRemoved = false;
  readonly opened = Promise.withResolvers<void>();
  private readonly ended = Promise.withResolvers<Error | undefined>();
  override readonly closed = this.ended.promise;

  constructor(name: string, kind: CellKind) {
    super(name, kind, {}, undefined as never);
    // Nobody may be waiting.
    this.opened.promise.catch(() => undefined);
  }

  override open(): Promise<void> {
    return this.opened.promise;
  }

  failToOpen(): void {
    this.opened.reject(new SandboxFailure('no such image', false));
  }

  /** As where its container is killed from outside. */
  end(): void {
    this.isClosed = true;
    this.ended.resolve(undefined);
  }

  override remove(): Promise<void> {
    this.isRemoved = true;
    this.end();
    return Promise.resolve();
  }
}
