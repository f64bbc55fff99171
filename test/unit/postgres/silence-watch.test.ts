import { jest } from '@jest/globals';

import { SilenceWatch } from '../../../src/platform/postgres/silence-watch.js';

describe('SilenceWatch', () => {
  let silences: number;
  let watch: SilenceWatch;

  beforeEach(() => {
    jest.useFakeTimers();
    silences = 0;
    watch = new SilenceWatch(1_000, () => (silences += 1));
  });

  afterEach(() => jest.useRealTimers());

  it('notices a question that nobody answers, once', () => {
    watch.asked();
    jest.advanceTimersByTime(999);
    expect(silences).toBe(0);
    jest.advanceTimersByTime(10_000);
    expect(silences).toBe(1);
  });

  it('says nothing while answers come, however many are owed', () => {
    watch.asked();
    for (let index = 0; index < 10; index += 1) {
      watch.asked();
      jest.advanceTimersByTime(900);
      watch.answered();
    }
    expect(silences).toBe(0);
    jest.advanceTimersByTime(1_000);
    expect(silences).toBe(1);
  });

  it('counts from the question where none was owed before', () => {
    watch.asked();
    jest.advanceTimersByTime(10);
    watch.answered();
    jest.advanceTimersByTime(800);
    watch.asked();
    jest.advanceTimersByTime(990);
    expect(silences).toBe(0);
    jest.advanceTimersByTime(20);
    expect(silences).toBe(1);
  });

  it('does not watch where a server may be silent for ever', () => {
    new SilenceWatch(0, () => (silences += 1)).asked();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind', () => {
    watch.asked();
    watch.answered();
    jest.advanceTimersByTime(1_000);
    expect(jest.getTimerCount()).toBe(0);

    watch.asked();
    watch.end();
    expect(jest.getTimerCount()).toBe(0);
    expect(silences).toBe(0);
  });
});
