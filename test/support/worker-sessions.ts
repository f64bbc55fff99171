import { WorkerSessions } from '../../src/platform/postgres/worker-sessions.js';

/** Sessions as a set of ids. */
export class InMemoryWorkerSessions extends WorkerSessions {
  /** Null: a missing session proves nothing. */
  ids: ReadonlySet<string> | null = null;

  open(workerIds: readonly string[]): Promise<ReadonlySet<string> | null> {
    return Promise.resolve(this.ids && new Set(workerIds.filter((id) => this.ids!.has(id))));
  }
}
