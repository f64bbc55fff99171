import { deterministicId, newId } from '../../../src/kernel/uuid.js';

describe('ids', () => {
  test('new ones are unique, and sort by time', () => {
    const ids = Array.from({ length: 1_000 }, newId);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort()).toEqual(ids);
  });

  test('derived from the same parts are always the same', () => {
    expect(deterministicId('a', 1, 2n)).toBe('d02a7f90-cfa1-5bbe-9484-563566272eae');
    expect(deterministicId('a', '1', '2')).toBe(deterministicId('a', 1, 2n));
  });

  test('derived from different parts are different', () => {
    const ids = [
      deterministicId('ab', 'c'),
      deterministicId('a', 'bc'),
      deterministicId('abc'),
      deterministicId('c', 'ab'),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});
