import { WorkerSessions } from '../../src/platform/postgres/worker-sessions.js';

/** Sessions as a set of ids. */
export class InMemoryWorkerSessions extends WorkerSessions {
  /** Null: nothing can be concluded from a session that is missing. */
  ids: ReadonlySet<string> | null = null;

  open(workerIds: readonly string[]): Promise<ReadonlySet<string> | null> {
    return Promise.resolve(this.ids && new Set(workerIds.filter((id) => this.ids!.has(id))));
  }
}
