/** What was appended to the log since a position. */
export interface Advance {
  /** The log was read up to here. */
  readonly position: bigint;
  /** The newest version of each stream that has new events. */
  readonly versions: ReadonlyMap<string, number>;
}

/** A cheap check of how far streams have advanced, for callers that wait for changes of many streams at once. */
export abstract class StreamVersions {
  /** The newest version of each stream that exists. @throws Unavailable */
  abstract versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>>;

  /** @param position null: only the end of the log is read. @throws Unavailable */
  abstract advanceSince(position: bigint | null): Promise<Advance>;
}
