import { z } from 'zod';

import type { Decider } from '../../src/event-sourcing/core/decider.js';
import { DecisionRunner } from '../../src/event-sourcing/core/decision-runner.js';
import { EventCatalog } from '../../src/event-sourcing/core/event-catalog.js';
import { type EventOf, eventType } from '../../src/event-sourcing/core/event-type.js';
import type { StreamRef } from '../../src/event-sourcing/core/event.js';
import { DomainError } from '../../src/kernel/errors.js';
import { newId } from '../../src/kernel/uuid.js';
import { metadata } from './builders/people.js';
import { InMemorySnapshotStore } from './in-memory-snapshot-store.js';
import { StagedEventStore } from './staged-event-store.js';

/** A counter that refuses to exceed its limit: the smallest aggregate with a rule. */
export const Added = eventType('Added', z.object({ amount: z.int() }));
type Counted = EventOf<{ Added: typeof Added }>;
export const LIMIT = 1_000;
export const counter: Decider<number, { total: number }, Counted> = {
  initialState: { total: 0 },
  decide(amount, { total }) {
    if (total + amount > LIMIT) throw new DomainError('full', 'The counter is full');
    return amount === 0 ? [] : [Added({ amount })];
  },
  evolve: ({ total }, { data }) => ({ total: total + data.amount }),
};

export const catalog = new EventCatalog([Added]);
export const aStream = (): StreamRef => ({ type: 'task', id: newId() });

/** @param another an earlier process, whose store and snapshots this one shares */
export function setUp(another?: { store: StagedEventStore; snapshots: InMemorySnapshotStore }) {
  const { store, snapshots } = another ?? {
    store: new StagedEventStore(catalog),
    snapshots: new InMemorySnapshotStore(),
  };
  const runner = new DecisionRunner(store, catalog, snapshots);
  const add = (stream: StreamRef, amount: number, decider = counter) =>
    runner.run(metadata, async (streams) => {
      const loaded = await streams.load(stream, decider);
      loaded.record(decider.decide(amount, loaded.state));
      return loaded.state.total;
    });
  return { store, snapshots, runner, add };
}

/** Records the reads of the store from now on. */
export function readsOf(store: StagedEventStore): unknown[] {
  const reads: unknown[] = [];
  const readStream = store.readStream.bind(store);
  store.readStream = (...args) => (reads.push(args), readStream(...args));
  return reads;
}
