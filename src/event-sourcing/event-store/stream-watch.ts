import { SharedPoller } from '../../platform/async/shared-poller.js';
import type { Log } from '../../platform/telemetry/log.js';
import type { StreamVersions } from '../core/stream-versions.js';

const POLL_INTERVAL_MS = 500;
/** Between two polls, however much is appended. */
const POLL_INTERVAL_MS_MIN = 20;

interface StreamPoint {
  readonly streamId: string;
  readonly version: number;
}

/**
 * Waits for new events of streams. The version of a stream is read once, when a caller starts to wait for it. After
 * that, one query serves all callers: the events since the last position. Positions are dense and in commit order, so
 * none is missed. The cost of a poll depends on what was appended, not on the number of callers: for a thousand
 * callers of a quiet log it is one empty result.
 */
export class StreamWatch {
  private readonly poller: SharedPoller<StreamPoint>;
  /** The log has been checked up to here for all known points. */
  private position: bigint | null = null;
  private known = new WeakSet<StreamPoint>();

  /** @param onAppend calls back after most appends of any process */
  constructor(
    private readonly versions: StreamVersions,
    onAppend: (listener: () => void) => void,
    log: Log,
  ) {
    this.poller = new SharedPoller({
      poll: (waiting) => this.poll(waiting),
      pollIntervalMs: POLL_INTERVAL_MS,
      minIntervalMs: POLL_INTERVAL_MS_MIN,
      log,
    });
    onAppend(() => this.poller.notify());
  }

  /** Never rejects. @returns true once the stream is past this version, false when the signal aborts */
  beyond(streamId: string, version: number, signal: AbortSignal): Promise<boolean> {
    return this.poller.wait({ streamId, version }, { signal });
  }

  private async poll(waiting: readonly StreamPoint[]) {
    const since = this.position;
    // An outage may have been a restore, which changes what positions mean: all versions are read again.
    this.position = null;
    const isNew = (point: StreamPoint) => since === null || !this.known.has(point);
    const added = waiting.filter(isNew);
    // The log first: an append between the two reads is then seen twice instead of never.
    const advance = await this.versions.advanceSince(added.length === waiting.length ? null : since);
    const found = await this.versions.versionsOf([...new Set(added.map(({ streamId }) => streamId))]);
    for (const point of added) this.known.add(point);
    this.position = advance.position;
    return ({ streamId, version }: StreamPoint) =>
      Math.max(advance.versions.get(streamId) ?? 0, found.get(streamId) ?? 0) > version;
  }
}
