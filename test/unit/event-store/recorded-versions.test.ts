import { RecordedVersions } from '../../../src/event-sourcing/event-store/recorded-versions.js';

describe('the recorded versions of a writer', () => {
  it('are certain up to the newest of each stream', () => {
    const versions = new RecordedVersions();
    versions.add('a', 2);
    versions.add('a', 3);
    expect([0, 3, 4].map((version) => versions.hasReached('a', version))).toEqual([true, true, false]);
    expect([0, 1].map((version) => versions.hasReached('b', version))).toEqual([true, false]);
  });

  it('are kept for a minimum number of recently written streams, and at most twice as many', () => {
    const versions = new RecordedVersions(2);
    for (const streamId of ['a', 'b', 'a', 'c']) versions.add(streamId, 1);
    expect(['a', 'b', 'c'].filter((streamId) => versions.hasReached(streamId, 1))).toEqual(['a', 'c']);
  });

  it('are forgotten with their connection', () => {
    const versions = new RecordedVersions();
    versions.add('a', 1);
    versions.forget();
    expect(versions.hasReached('a', 1)).toBe(false);
  });
});
