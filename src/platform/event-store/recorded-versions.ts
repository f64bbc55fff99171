/** About 1 MB. A stream that is forgotten costs one lookup. */
const STREAMS_MAX = 10_000;

/**
 * What this writer itself has recorded: versions that are certain to be there, since the log takes nothing back, so that
 * nobody needs to look for them. A newer version that somebody else has recorded is the unique index' to find.
 */
export class RecordedVersions {
  /** By stream id, the one written longest ago first. */
  private readonly newest = new Map<string, number>();

  constructor(private readonly streamsMax = STREAMS_MAX) {}

  /** Every stream has reached version 0. */
  hasReached(streamId: string, version: number): boolean {
    return version === 0 || (this.newest.get(streamId) ?? 0) >= version;
  }

  add(streamId: string, version: number): void {
    this.newest.delete(streamId);
    this.newest.set(streamId, version);
    if (this.newest.size <= this.streamsMax) return;
    const [oldest] = this.newest.keys();
    this.newest.delete(oldest!);
  }

  /** For a connection that is not the one they were recorded on: its server may have been restored from a backup. */
  forget(): void {
    this.newest.clear();
  }
}
