import { GCProfiler } from 'node:v8';

import { scheduleMinorGc } from '../../../src/platform/memory/minor-gc.js';

const MIB = 1024 ** 2;

function collectionsDuring(work: () => void): readonly string[] {
  const profiler = new GCProfiler();
  profiler.start();
  work();
  return profiler.stop()!.statistics.map(({ gcType }) => gcType);
}

test('every 4 MiB cause one minor collection', () => {
  // Other tests of this process may have left some bytes: this begins the count anew.
  scheduleMinorGc(4 * MIB);
  expect(collectionsDuring(() => scheduleMinorGc(4 * MIB - 1))).toEqual([]);
  expect(collectionsDuring(() => scheduleMinorGc(1))).toEqual(['Scavenge']);
  expect(collectionsDuring(() => scheduleMinorGc(1))).toEqual([]);
});

test('no other code can see the collector', () => {
  expect('gc' in globalThis).toBe(false);
});
