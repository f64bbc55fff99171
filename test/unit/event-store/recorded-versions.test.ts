import { RecordedVersions } from '../../../src/event-sourcing/event-store/recorded-versions.js';

describe('the versions that a writer has recorded', () => {
  it('are certain up to the newest of each stream', () => {
    const versions = new RecordedVersions();
    versions.add('a', 2);
    versions.add('a', 3);
    expect([0, 3, 4].map((version) => versions.hasReached('a', version))).toEqual([true, true, false]);
    expect([0, 1].map((version) => versions.hasReached('b', version))).toEqual([true, false]);
  });

  it('are kept of at least so many streams that were written last, and of twice as many at most', () => {
    const versions = new RecordedVersions(2);
    for (const streamId of ['a', 'b', 'a', 'c']) versions.add(streamId, 1);
    expect(['a', 'b', 'c'].filter((streamId) => versions.hasReached(streamId, 1))).toEqual(['a', 'c']);
  });

  it('are forgotten with the connection that they were recorded on', () => {
    const versions = new RecordedVersions();
    versions.add('a', 1);
    versions.forget();
    expect(versions.hasReached('a', 1)).toBe(false);
  });
});
