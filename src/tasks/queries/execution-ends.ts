import type { Observation } from '../../event-sourcing/projection/current-rows.js';
import type { PositionAnnouncements } from '../../event-sourcing/projection/position-announcements.js';
import { SharedPoller } from '../../platform/async/shared-poller.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { ExecutionEvent } from '../domain/execution-events.js';
import { isActive } from '../domain/execution-shape.js';
import { isEndedAfter } from '../domain/lifecycle-invariant.js';
import type { CurrentExecutions } from './current-executions.js';
import type { ExecutionRow } from './execution-projection.js';

/** Finds ends that are not announced: NATS or the projector is down, or the projector has parked the stream. */
const POLL_INTERVAL_MS = 250;

/** An execution that has ended. */
export interface ExecutionEnd {
  readonly row: ExecutionRow;
  /** Position of its last event if the read model does not have it yet. */
  readonly aheadOfView: bigint | null;
}

/**
 * Waits for executions to end. Polls when the projector announces the end of one, without a minimum interval, which
 * would delay short executions. Also polls at fixed intervals, so that it finds an end while no projector runs.
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
    projected.onPosition((_, endedStreams) => {
      const ended = new Set(endedStreams);
      this.poller.notify((id) => ended.has(id));
    });
  }

  /** Never rejects. @returns the ended execution; false if the timeout passed or the signal aborted first */
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

/** Decided without reading a stream: waiting for running executions costs one statement, even while the view lags. */
const mayHaveEnded = ({ row, head }: Observation<ExecutionRow>): boolean =>
  (row !== null && !isActive(row.status)) || isEndedAfter(head?.type as ExecutionEvent['type']);
