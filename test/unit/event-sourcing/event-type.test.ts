import { z } from 'zod';

import { EventCatalog } from '../../../src/event-sourcing/core/event-catalog.js';
import { eventType } from '../../../src/event-sourcing/core/event-type.js';

/** Version 1 had seconds, version 2 milliseconds, version 3 has a name for the unit. */
const Waited = eventType('Waited', z.object({ amount: z.int(), unit: z.enum(['ms']) }), {
  upcasters: [
    ({ seconds, ...rest }) => ({ ...rest, ms: (seconds as number) * 1_000 }),
    ({ ms, ...rest }) => ({ ...rest, amount: ms, unit: 'ms' }),
  ],
});

describe('an event type', () => {
  test('creates events of its newest version', () => {
    expect(Waited({ amount: 5, unit: 'ms' })).toEqual({ type: 'Waited', data: { amount: 5, unit: 'ms' } });
    expect(Waited.schemaVersion).toBe(3);
  });

  test.each([
    [1, { seconds: 5 }],
    [2, { ms: 5_000 }],
    [3, { amount: 5_000, unit: 'ms' }],
  ])('upcasts version %d to the newest', (version, stored) => {
    expect(Waited.upcast(stored, version)).toEqual({ amount: 5_000, unit: 'ms' });
  });

  test('does not change stored data', () => {
    const stored = Object.freeze({ seconds: 5 });
    Waited.upcast(stored, 1);
    expect(stored).toEqual({ seconds: 5 });
  });

  test.each([0, 4, -1, 1.5, Number.NaN])('refuses the unknown version %d', (version) => {
    expect(() => Waited.upcast({ amount: 1, unit: 'ms' }, version)).toThrow('has no schema version');
  });

  test.each([
    ['lacks a field', { amount: 1 }],
    ['has a field of another type', { amount: '1', unit: 'ms' }],
    ['is not an object', 'amount'],
    ['is null', null],
  ])('refuses data that %s', (_, stored) => {
    expect(() => Waited.upcast(stored, 3)).toThrow();
  });

  test('refuses older data that is invalid after the upcast', () => {
    expect(() => Waited.upcast({ minutes: 1 }, 1)).toThrow();
  });
});

describe('an event catalog', () => {
  const catalog = new EventCatalog([Waited]);

  test('upcasts by name', () => {
    expect(catalog.upcast('Waited', { seconds: 1 }, 1)).toEqual(Waited({ amount: 1_000, unit: 'ms' }));
    expect(catalog.schemaVersionOf(Waited({ amount: 1, unit: 'ms' }))).toBe(3);
  });

  test('gives no version to invalid data', () => {
    expect(() => catalog.schemaVersionOf({ type: 'Waited', data: { seconds: 1 } })).toThrow();
  });

  test('refuses unknown types', () => {
    expect(() => catalog.upcast('Slept', {}, 1)).toThrow('unknown event type Slept');
    expect(() => catalog.schemaVersionOf({ type: 'constructor', data: {} })).toThrow('unknown event type constructor');
  });

  test('refuses two types of the same name', () => {
    expect(() => new EventCatalog([Waited, Waited])).toThrow('defined twice');
  });
});
