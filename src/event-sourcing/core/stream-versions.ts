/** What the log has got since a position. */
export interface Advance {
  /** Up to where it was looked through. */
  readonly position: bigint;
  /** The newest version of each stream that has got events. */
  readonly versions: ReadonlyMap<string, number>;
}

/** A cheap look at how far streams have come, for those who wait for a change of many at once. */
export abstract class StreamVersions {
  /** The newest version of each stream that exists. @throws Unavailable */
  abstract versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>>;

  /** @param position null: nothing but the log's end is asked for. @throws Unavailable */
  abstract advanceSince(position: bigint | null): Promise<Advance>;
}
