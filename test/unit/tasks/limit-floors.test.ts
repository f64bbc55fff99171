import { SCRIPT_TYPES } from '../../../src/tasks/domain/execution-shape.js';
import { limitsBelowFloor, LIMIT_FLOORS } from '../../../src/tasks/domain/limit-floors.js';

test.each(SCRIPT_TYPES)('%s: its minimum is accepted, and one less is refused with minimum and language', (type) => {
  const { memory_mb, pids } = LIMIT_FLOORS[type];
  expect(limitsBelowFloor(type, { memory_mb, pids })).toEqual([]);
  expect(limitsBelowFloor(type, {})).toEqual([]);
  const fault = (limit: string, value: number) => ({
    field: `limits.${limit}`,
    value: String(value),
    tag: 'min',
    message: `must be at least ${value + 1} for ${type}`,
  });
  expect(limitsBelowFloor(type, { memory_mb: memory_mb - 1, pids: pids - 1 })).toEqual([
    fault('memory_mb', memory_mb - 1),
    fault('pids', pids - 1),
  ]);
});
