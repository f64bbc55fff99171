import { CpuPlacement } from '../../../src/sandbox/cpu-placement.js';

const taken = (placement: CpuPlacement, cpus: number, hostCpus: number, count: number): number[] =>
  Array.from({ length: count }, () => placement.take(cpus, hostCpus).first);

it('spreads runs of one CPU evenly over all CPUs', () => {
  for (let round = 0; round < 20; round += 1) {
    const firsts = taken(new CpuPlacement(), 1, 4, 8).toSorted();
    expect(firsts).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  }
});

it('starts at a random CPU, since workers do not know of each other', () => {
  const firsts = new Set(Array.from({ length: 200 }, () => new CpuPlacement().take(1, 4).first));
  expect(firsts).toEqual(new Set([0, 1, 2, 3]));
});

it('rotates while nothing else runs', () => {
  const placement = new CpuPlacement();
  const firsts = Array.from({ length: 4 }, () => {
    const place = placement.take(1, 4);
    place.release();
    return place.first;
  });
  expect(new Set(firsts).size).toBe(4);
});

it('places the next run on the CPU that was freed last', () => {
  const placement = new CpuPlacement();
  const places = Array.from({ length: 3 }, () => placement.take(1, 3));
  places[1]!.release();
  expect(placement.take(1, 3).first).toBe(places[1]!.first);
});

it('counts shares: two halves weigh as much as one whole', () => {
  const placement = new CpuPlacement();
  const half = placement.take(0.5, 2);
  expect(placement.take(1, 2).first).not.toBe(half.first);
  expect(placement.take(0.25, 2).first).toBe(half.first);
  expect(placement.take(0.5, 2).first).toBe(half.first);
});

it('gives a run of several CPUs the adjacent ones with the least load, also around the end', () => {
  const placement = new CpuPlacement();
  const places = Array.from({ length: 4 }, () => placement.take(1, 4));
  for (const place of places) if (place.first === 0 || place.first === 3) place.release();
  expect(placement.take(2, 4).first).toBe(3);
});

it('gives at most as many CPUs as exist', () => {
  const placement = new CpuPlacement();
  const all = placement.take(64, 2);
  expect([0, 1]).toContain(all.first);
  all.release();
  const firsts = taken(placement, 1, 2, 2);
  expect(firsts.toSorted()).toEqual([0, 1]);
});
