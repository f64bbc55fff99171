import { LanesToVisit } from '../../../src/webhooks/delivery/lanes-to-visit.js';

/** All lanes have been visited at 0. */
function visited(): LanesToVisit {
  const lanes = new LanesToVisit();
  lanes.visitAll(0);
  return lanes;
}

test('at first all lanes', () => {
  expect(new LanesToVisit().allInMs(0)).toBe(0);
});

test('all lanes every second while something waits, and every half minute otherwise', () => {
  const lanes = visited();
  expect(lanes.allInMs(0)).toBe(30_000);
  lanes.waiting(0);
  expect(lanes.allInMs(400)).toBe(600);
  expect(lanes.allInMs(1_500)).toBe(0);
});

test('what changes is visited once, and all lanes a second later: a retry may wait there', () => {
  const lanes = visited();
  lanes.change('a', 10);
  lanes.change('b', 20);
  lanes.change('a', 30);
  expect(lanes.take()).toEqual([['a', 'b']]);
  expect(lanes.take()).toEqual([]);
  expect(lanes.allInMs(10)).toBe(1_000);
});

test('a change during a visit to all lanes is not lost', () => {
  const lanes = new LanesToVisit();
  lanes.visitAll(0);
  lanes.change(null, 5);
  lanes.waiting(0);
  expect(lanes.allInMs(5)).toBe(0);
});

test('a visit to all lanes that takes long is followed by a pause of four times as long', () => {
  const lanes = new LanesToVisit();
  lanes.visitAll(0);
  lanes.waiting(0);
  lanes.visitedAll(0, 10);
  expect(lanes.allInMs(10)).toBe(990);
  lanes.visitAll(1_000);
  lanes.waiting(1_000);
  lanes.change(null, 1_500);
  lanes.visitedAll(1_000, 2_000);
  expect(lanes.allInMs(2_000)).toBe(4_000);
});

test('a change of an unknown lane, or of very many: all lanes', () => {
  const unknown = visited();
  unknown.change(null, 10);
  expect(unknown.allInMs(10)).toBe(0);
  const many = visited();
  for (let no = 0; no < 1_001; no += 1) many.change(`lane ${no}`, 10);
  expect(many.allInMs(10)).toBe(0);
  expect(many.take()[0]).toHaveLength(1_000);
});

test('those that were refused come first, in their order, once there is room', () => {
  const lanes = visited();
  for (let no = 0; no < 70; no += 1) lanes.refuse(`lane ${no}`);
  lanes.change('lane 3', 0);
  expect(lanes.take()).toEqual([['lane 3']]);
  lanes.freed();
  lanes.change('lane 5', 0);
  lanes.change('another', 0);
  const [waited, changed] = lanes.take();
  expect(waited).toEqual(Array.from({ length: 64 }, (_, no) => `lane ${no}`));
  expect(changed).toEqual(['another']);
  expect(lanes.take()).toEqual([]);
  // Refused again, they wait behind the others.
  lanes.refuse('lane 0');
  lanes.freed();
  expect(lanes.take()).toEqual([['lane 64', 'lane 65', 'lane 66', 'lane 67', 'lane 68', 'lane 69', 'lane 0']]);
});
