import { isActive } from '../domain/execution-shape.js';
import type { Observation } from '../../event-sourcing/projection/current-rows.js';
import type { PositionAnnouncements } from '../../event-sourcing/projection/position-announcements.js';
import type { Log } from '../../platform/telemetry/log.js';
import { SharedPoller } from '../../platform/async/shared-poller.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import { standsEnded } from '../domain/lifecycle-invariant.js';
import type { CurrentExecutions } from './current-executions.js';
import type { ExecutionRow } from './execution-projection.js';

/** For an announcement that was lost, NATS being away, or the projector. */
const POLL_INTERVAL_MS = 250;

/** A run that has ended. */
export interface ExecutionEnd {
  readonly row: ExecutionRow;
  /** Of its last event, where the read model does not hold that yet. */
  readonly aheadOfView: bigint | null;
}

/**
 * Waits for runs to end. It looks when the projector says that it has moved on, without rest: what it spares would be
 * added to the time of a short run; and from time to time, so that an end is told while no projector is at work.
 */
export class ExecutionEnds {
  private readonly poller: SharedPoller<string, ExecutionEnd>;

  constructor(
    private readonly executions: CurrentExecutions,
    projected: PositionAnnouncements,
    log: Log,
  ) {
    this.poller = new SharedPoller({
      poll: (ids) => this.ended(ids),
      pollIntervalMs: POLL_INTERVAL_MS,
      minIntervalMs: 0,
      log,
    });
    projected.onPosition(() => this.poller.notify());
  }

  /** Never rejects. @returns the run as it has ended, false where the time was up or the signal aborted before */
  wait(executionId: string, timeoutMs: number, signal: AbortSignal): Promise<ExecutionEnd | false> {
    return this.poller.wait(executionId, { timeoutMs, signal });
  }

  private async ended(ids: readonly string[]) {
    const observed = await this.executions.observe([...new Set(ids)]);
    const ended = new Map<string, ExecutionEnd>();
    await Promise.all(
      observed.filter(mayHaveEnded).map(async (observation) => {
        const { row, aheadOfView } = await this.executions.complete(observation);
        if (row && !isActive(row.status)) ended.set(row.id, { row, aheadOfView });
      }),
    );
    return (id: string) => ended.get(id) ?? false;
  }
}

/** Told without reading a stream: those who wait for runs that go on cost one statement, also while the view lags. */
const mayHaveEnded = ({ row, head }: Observation<ExecutionRow>): boolean =>
  (row !== null && !isActive(row.status)) || standsEnded(head?.type as ExecutionEvent['type']);
