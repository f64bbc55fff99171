import { limitsBelowFloor } from '../../../src/tasks/domain/limit-floors.js';

const FLOOR = { memory_mb: 64, pids: 32 };

test('the minimum is accepted, and one less is refused with minimum and runtime', () => {
  expect(limitsBelowFloor('go', FLOOR, FLOOR)).toEqual([]);
  expect(limitsBelowFloor('go', FLOOR, {})).toEqual([]);
  expect(limitsBelowFloor('go', FLOOR, { memory_mb: 63, pids: 31 })).toEqual([
    { field: 'limits.memory_mb', value: '63', tag: 'min', message: 'must be at least 64 for go' },
    { field: 'limits.pids', value: '31', tag: 'min', message: 'must be at least 32 for go' },
  ]);
});
