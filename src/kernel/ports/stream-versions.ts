/** A cheap look at how far streams have come, for those who wait for a change of many at once. */
export abstract class StreamVersions {
  /** The newest version of each stream that exists. @throws Unavailable */
  abstract versionsOf(streamIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}
