import type { StreamVersions } from '../core/stream-versions.js';
import type { Log } from '../../platform/telemetry/log.js';
import { SharedPoller } from '../../platform/async/shared-poller.js';

const POLL_INTERVAL_MS = 500;
/** However much is appended elsewhere, the database is asked no more often. */
const REST_MS = 20;

interface StreamPoint {
  readonly streamId: string;
  readonly version: number;
}

/**
 * Tells when a stream has new events. A stream is asked for once, when somebody comes to wait for it; after that one
 * question serves all: what the log has got since. Positions are dense and in commit order, so nothing slips through,
 * and a look costs what has happened, not how many wait: a thousand who wait for a quiet log cost an empty answer.
 */
export class StreamWatch {
  private readonly poller: SharedPoller<StreamPoint>;
  /** Up to here the log says nothing new to those who have been asked for. */
  private position: bigint | null = null;
  private asked = new WeakSet<StreamPoint>();

  /** @param onAppend calls back after any append anywhere, most of the time */
  constructor(
    private readonly versions: StreamVersions,
    onAppend: (listener: () => void) => void,
    log: Log,
  ) {
    this.poller = new SharedPoller({
      poll: (waiting) => this.poll(waiting),
      pollIntervalMs: POLL_INTERVAL_MS,
      minIntervalMs: REST_MS,
      log,
    });
    onAppend(() => this.poller.notify());
  }

  /** Never rejects. @returns true once the stream has more than so many events, false when the signal aborts */
  beyond(streamId: string, version: number, signal: AbortSignal): Promise<boolean> {
    return this.poller.wait({ streamId, version }, { signal });
  }

  private async poll(waiting: readonly StreamPoint[]) {
    const since = this.position;
    // An outage may have been a restore, after which positions mean something else: all are asked for again.
    this.position = null;
    const isNew = (point: StreamPoint) => since === null || !this.asked.has(point);
    const comers = waiting.filter(isNew);
    // The log first: what is appended before the streams are asked for is told twice, and nothing never.
    const advance = await this.versions.advanceSince(comers.length === waiting.length ? null : since);
    const found = await this.versions.versionsOf([...new Set(comers.map(({ streamId }) => streamId))]);
    for (const point of comers) this.asked.add(point);
    this.position = advance.position;
    return ({ streamId, version }: StreamPoint) =>
      Math.max(advance.versions.get(streamId) ?? 0, found.get(streamId) ?? 0) > version;
  }
}
