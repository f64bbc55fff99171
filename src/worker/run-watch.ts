import { fold } from '../event-sourcing/core/decider.js';
import type { EventStore } from '../event-sourcing/core/event-store.js';
import { eventsAs } from '../event-sourcing/core/event.js';
import type { StreamVersions } from '../event-sourcing/core/stream-versions.js';
import { Unavailable } from '../kernel/errors.js';
import type { AttemptLease } from '../tasks/domain/execution-commands.js';
import { executionDecider } from '../tasks/domain/execution-decider.js';
import type { ExecutionEvent } from '../tasks/domain/execution-events.js';
import { executionStream } from '../tasks/domain/execution-state.js';

/** A run of this worker, whose execution may have changed in the log meanwhile. */
export interface WatchedRun {
  readonly lease: AttemptLease;
  seenVersion: number;
  stop(reason: 'cancel' | 'lost'): void;
}

/**
 * Checks whether the log requires running executions to stop: cancelled, or considered lost and reassigned to another
 * worker. It reads Postgres, one query for all runs, so that a cancel works while NATS and Redis are down.
 */
export class RunWatch {
  constructor(
    private readonly store: EventStore,
    private readonly versions: StreamVersions,
  ) {}

  /** Stops nothing during an outage of Postgres, since the state is unknown. */
  async check(runs: readonly WatchedRun[]): Promise<void> {
    if (runs.length === 0) return;
    try {
      const versions = await this.versions.versionsOf(runs.map(({ lease }) => lease.executionId));
      const moved = runs.filter((run) => (versions.get(run.lease.executionId) ?? 0) > run.seenVersion);
      await Promise.all(moved.map((run) => this.follow(run)));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
    }
  }

  private async follow(run: WatchedRun): Promise<void> {
    const events = await this.store.readStream(executionStream(run.lease.executionId));
    run.seenVersion = events.length;
    const state = fold(executionDecider, executionDecider.initialState, eventsAs<ExecutionEvent>(events));
    const { attempt, leaseToken } = run.lease;
    // The job is reserved, and its start is not in the log yet.
    if (state.status === 'pending' && state.attempt + 1 === attempt) return;
    const underWay = state.status === 'running' || state.status === 'cancelling';
    if (!underWay || state.attempt !== attempt || state.lease_token !== leaseToken) run.stop('lost');
    else if (state.status === 'cancelling') run.stop('cancel');
  }
}
