import fc from 'fast-check';

import { type Attempt, DeliverySlots } from '../../../src/webhooks/delivery/delivery-slots.js';

const attempt = (id: string, changes: Partial<Attempt> = {}): Attempt => ({
  id,
  lane: 'lane',
  ownerId: 'owner',
  isFailing: false,
  isSlow: false,
  ...changes,
});

/** Takes as many as there is room for. */
function fill(slots: DeliverySlots, count: number, make: (no: number) => Partial<Attempt>): number {
  let taken = 0;
  for (let no = 0; no < count; no += 1) if (slots.take(attempt(`${Math.random()}`, make(no))) === 'taken') taken += 1;
  return taken;
}

const apart = (no: number) => ({ lane: `lane ${no}`, ownerId: `owner ${no}` });

test('a lane has four, and one while it fails', () => {
  expect(fill(new DeliverySlots(), 10, () => ({}))).toBe(4);
  expect(fill(new DeliverySlots(), 10, () => ({ isFailing: true }))).toBe(1);
});

test('a user has sixteen, of which twelve may be slow', () => {
  const slots = new DeliverySlots();
  expect(fill(slots, 100, (no) => ({ lane: `slow ${no}`, isSlow: true }))).toBe(12);
  expect(fill(slots, 100, (no) => ({ lane: `failing ${no}`, isFailing: true }))).toBe(0);
  expect(fill(slots, 100, (no) => ({ lane: `quick ${no}` }))).toBe(4);
});

test('slow and failing receivers never have all', () => {
  const slots = new DeliverySlots();
  expect(fill(slots, 1_000, (no) => ({ ...apart(no), isSlow: no % 2 === 0, isFailing: no % 2 === 1 }))).toBe(64);
  expect(fill(slots, 1_000, (no) => apart(no + 1_000))).toBe(192);
});

test('it tells who has to wait', () => {
  const slots = new DeliverySlots();
  fill(slots, 4, () => ({}));
  expect(slots.take(attempt('a'))).toBe('lane');
  fill(slots, 12, (no) => ({ lane: `another ${no}` }));
  expect(slots.take(attempt('b', { lane: 'last' }))).toBe('user');
  fill(slots, 1_000, apart);
  expect(slots.take(attempt('c', { lane: 'x', ownerId: 'y' }))).toBe('shared');
});

test('what is freed twice, or was never taken, frees nothing of others', () => {
  const slots = new DeliverySlots();
  slots.take(attempt('a'));
  fill(slots, 3, () => ({}));
  expect([slots.free('a'), slots.free('a'), slots.free('b')]).toEqual([true, false, false]);
  expect(fill(slots, 10, () => ({}))).toBe(1);
});

test('no bound is ever exceeded, and all room comes back', () => {
  const change = fc.record({
    free: fc.boolean(),
    lane: fc.integer({ min: 0, max: 120 }),
    isFailing: fc.boolean(),
    isSlow: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 800 }), (changes) => {
      const slots = new DeliverySlots();
      const taken: Attempt[] = [];
      for (const [no, { free, lane, ...flags }] of changes.entries()) {
        if (free && taken.length > 0) slots.free(taken.splice(lane % taken.length, 1)[0]!.id);
        const next = attempt(`${no}`, { lane: `lane ${lane}`, ownerId: `owner ${lane % 40}`, ...flags });
        if (slots.take(next) === 'taken') taken.push(next);
        expect(slots.ids()).toHaveLength(taken.length);
        expect(slots.has(next.id)).toBe(taken.includes(next));
      }
      const most = (of: readonly Attempt[], key: (one: Attempt) => string) =>
        Math.max(0, ...Object.values(Object.groupBy(of, key)).map((group) => group!.length));
      const slow = taken.filter(({ isSlow, isFailing }) => isSlow || isFailing);
      expect(taken.length).toBeLessThanOrEqual(256);
      expect(slow.length).toBeLessThanOrEqual(64);
      expect(most(taken, ({ ownerId }) => ownerId)).toBeLessThanOrEqual(16);
      expect(most(slow, ({ ownerId }) => ownerId)).toBeLessThanOrEqual(12);
      expect(most(taken, ({ lane }) => lane)).toBeLessThanOrEqual(4);
      for (const { id } of taken) slots.free(id);
      expect(fill(slots, 1_000, apart)).toBe(256);
    }),
    { numRuns: 30 },
  );
});
