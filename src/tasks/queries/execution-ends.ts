import type { Observation } from '../../event-sourcing/projection/current-rows.js';
import type { PositionAnnouncements, RowOfStream } from '../../event-sourcing/projection/position-announcements.js';
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
    projected.onPosition((_, endedStreams, rowOf) => this.told(new Set(endedStreams), rowOf));
  }

  /**
   * Never rejects.
   * @param isNew the execution was recorded just now: its end is still to be announced
   * @returns the ended execution; false if the timeout passed or the signal aborted first
   */
  wait(
    executionId: string,
    timeoutMs: number,
    signal: AbortSignal,
    { isNew }: { readonly isNew: boolean } = { isNew: false },
  ): Promise<ExecutionEnd | false> {
    return this.poller.wait(executionId, { timeoutMs, signal, pollsOnArrival: !isNew });
  }

  /** The projector of this process has the rows; for another's, one poll reads them. */
  private told(ended: ReadonlySet<string>, rowOf: RowOfStream): void {
    if (ended.size === 0) return;
    this.poller.resolveReached((id) => {
      const row = ended.has(id) ? (rowOf(id) as ExecutionRow | undefined) : undefined;
      return row !== undefined && !isActive(row.status) && { row, aheadOfView: null };
    });
    this.poller.notify((id) => ended.has(id));
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
