import type { RecordedEvent } from '../../../src/event-sourcing/core/event.js';
import { ProjectionTable } from '../../../src/event-sourcing/projection/projection-table.js';
import { defineProjection } from '../../../src/event-sourcing/projection/projection.js';
import { toyEvent as event, toyProjection } from '../../support/toy-log.js';

describe('ProjectionTable', () => {
  const table = new ProjectionTable(toyProjection);
  const fold = (events: RecordedEvent[], rows: Record<string, Record<string, unknown>> = {}) =>
    table.fold(table.group(events), new Map(Object.entries(rows)));

  it('writes a row once, for any number of events', () => {
    const { upserted, deleted } = fold([
      event('a', 1, 'ToyAdded', { amount: 1 }),
      event('b', 1, 'ToyAdded', { amount: 10 }),
      event('a', 2, 'ToyAdded', { amount: 2 }),
    ]);
    expect(upserted.map(({ id, total, version }) => [id, total, version])).toEqual([
      ['a', 3, 2],
      ['b', 10, 1],
    ]);
    expect(deleted).toEqual([]);
  });

  it('continues from an existing row, and removes it', () => {
    const row = { id: 'a', total: 5, big: 0, notes: [], facts: {}, at: 'now', version: 1 };
    expect(fold([event('a', 2, 'ToyAdded', { amount: 2 })], { a: row }).upserted[0]).toMatchObject({ total: 7 });
    expect(fold([event('a', 2, 'ToyRemoved')], { a: row })).toEqual({ upserted: [], deleted: ['a'] });
  });

  it('writes nothing for a row that was added and removed, or stays the same', () => {
    expect(fold([event('a', 1, 'ToyAdded', { amount: 1 }), event('a', 2, 'ToyRemoved')])).toEqual({
      upserted: [],
      deleted: [],
    });
    const still = new ProjectionTable({ ...toyProjection, project: (row) => row });
    const rows = new Map([['a', { id: 'a' }]]);
    expect(still.fold(still.group([event('a', 1, 'ToyAdded')]), rows)).toEqual({ upserted: [], deleted: [] });
  });

  it('ignores events that are irrelevant to the view', () => {
    expect(table.group([event('a', 1, 'SomethingElse')]).size).toBe(0);
  });

  it('accepts only plain names for its SQL', () => {
    expect(() => defineProjection({ ...toyProjection, table: 'toys; drop table' })).toThrow('not a plain SQL name');
    expect(() => defineProjection({ ...toyProjection, columns: { 'a b': 'text' } })).toThrow('not a plain SQL name');
  });
});
