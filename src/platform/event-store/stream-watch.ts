import type { StreamVersions } from '../../kernel/ports/stream-versions.js';
import type { Log } from '../telemetry/log.js';
import { Lookout } from '../waiting/lookout.js';

const POLL_INTERVAL_MS = 500;
/** However much is appended elsewhere, the database is asked no more often. */
const REST_MS = 20;

interface StreamPoint {
  readonly streamId: string;
  readonly version: number;
}

/** Tells when a stream has new events. One question to the database serves all who wait. */
export class StreamWatch {
  private readonly lookout: Lookout<StreamPoint>;

  /** @param onAppend calls back after any append anywhere, most of the time */
  constructor(
    private readonly versions: StreamVersions,
    onAppend: (listener: () => void) => void,
    log: Log,
  ) {
    this.lookout = new Lookout({
      look: (waiting) => this.beyondBy(waiting),
      pollIntervalMs: POLL_INTERVAL_MS,
      restMs: REST_MS,
      log,
    });
    onAppend(() => this.lookout.news());
  }

  /** Never rejects. @returns true once the stream has more than so many events, false when the signal aborts */
  beyond(streamId: string, version: number, signal: AbortSignal): Promise<boolean> {
    return this.lookout.wait({ streamId, version }, { signal });
  }

  private async beyondBy(waiting: readonly StreamPoint[]) {
    const versions = await this.versions.versionsOf([...new Set(waiting.map(({ streamId }) => streamId))]);
    return ({ streamId, version }: StreamPoint) => (versions.get(streamId) ?? 0) > version;
  }
}
