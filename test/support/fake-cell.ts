import { ignoreErrors } from '../../src/platform/async/ignore-errors.js';
import type { CellKind } from '../../src/sandbox/cell-kind.js';
import { Cell } from '../../src/sandbox/cell.js';
import { SandboxFailure } from '../../src/sandbox/sandbox.js';

/** A cell without a container: a test decides when it opens, ends and is removed. */
export class FakeCell extends Cell {
  /** All users that the cell was assigned to. */
  readonly users: string[] = [];
  isRemoved = false;
  readonly opened = Promise.withResolvers<void>();
  private readonly ended = Promise.withResolvers<Error | undefined>();
  override readonly closed = this.ended.promise;

  constructor(name: string, kind: CellKind) {
    super(name, kind, {}, undefined as never);
    void ignoreErrors(this.opened.promise, 'possibly nothing awaits it');
  }

  override open(): Promise<void> {
    return this.opened.promise;
  }

  override startInterpreter() {
    return Promise.resolve('none' as const);
  }

  failToOpen(): void {
    this.opened.reject(new SandboxFailure('no such image', false));
  }

  /** Like a container that is killed from outside. */
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
