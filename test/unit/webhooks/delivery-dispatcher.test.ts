import type { CommandBus } from '@nestjs/cqrs';

import { Unavailable } from '../../../src/kernel/errors.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';
import { DeliveryDispatcher } from '../../../src/webhooks/delivery/delivery-dispatcher.js';
import type { DueDelivery, PendingDeliveries } from '../../../src/webhooks/delivery/pending-deliveries.js';
import {
  type AbandonDelivery,
  type AttemptOutcome,
  type RecordAttempt,
} from '../../../src/webhooks/domain/delivery-commands.js';
import { eventually } from '../../support/eventually.js';
import { SUCCESS } from '../../support/builders/webhooks.js';

type Outcome = AttemptOutcome | 'erased' | null;

interface Waiting {
  readonly id: string;
  readonly lane: string;
  readonly ownerId?: string;
  readonly attempts?: number;
  readonly isFailing?: boolean;
}

/** A dispatcher, a table of what is due, and attempts that end when the test says so. */
function setUp(...initial: Waiting[]) {
  const table = new Map(initial.map((one) => [one.id, one]));
  const started: string[] = [];
  const open = new Map<string, (outcome: Outcome | Error) => void>();
  const commands: (RecordAttempt | AbandonDelivery)[] = [];
  const queries: string[] = [];
  const checks: number[] = [];
  const errors: unknown[] = [];
  const failures: Error[] = [];
  const positions: (bigint | null)[] = [];
  const stopping = new AbortController();
  const clock = { ms: 0 };

  const dueOf = (except: readonly string[], lanes?: readonly string[]) => {
    const rows = [...table.values()].filter(({ id, lane }) => !except.includes(id) && (lanes?.includes(lane) ?? true));
    const byLane = Object.values(Object.groupBy(rows, ({ lane }) => lane)).flatMap((group) => group!.slice(0, 4));
    return byLane.map(({ id, lane, ownerId = lane, attempts = 0, isFailing = false }) => ({
      ...{ id, lane, owner_id: ownerId, attempts, is_failing: isFailing },
      ...{ source_id: 'source', event_id: 'event', traceparent: null },
    })) as unknown as DueDelivery[];
  };
  const pending: Pick<PendingDeliveries, 'due' | 'dueIn'> = {
    due: (_, __, except) => {
      queries.push('all');
      const failure = failures.shift();
      if (failure) return Promise.reject(failure);
      const lanes = new Set([...table.values()].map(({ lane }) => lane)).size;
      return Promise.resolve({ deliveries: dueOf(except), lane: null, lanes });
    },
    dueIn: (lanes, _, except) => {
      queries.push(lanes.join(' '));
      return Promise.resolve(dueOf(except, lanes));
    },
  };
  const dispatcher = new DeliveryDispatcher({
    pending,
    attempts: {
      make: ({ id }, _, signal) => {
        started.push(id);
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => resolve(null));
          open.set(id, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
        });
      },
    },
    checks: { run: () => Promise.resolve(checks.push(1) < 0) },
    commands: {
      execute: (command: RecordAttempt | AbandonDelivery) => {
        commands.push(command);
        const failure = failures.shift();
        if (failure) return Promise.reject(failure);
        return Promise.resolve({ result: undefined, position: positions.length > 0 ? positions.shift()! : 1n });
      },
    } as unknown as CommandBus,
    log: { ...silentLog, error: (facts: unknown) => void errors.push(facts) } as typeof silentLog,
    elapsedMs: () => clock.ms,
  });
  return {
    ...{ clock, dispatcher, table, started, commands, queries, checks, errors, failures, positions, stopping },
    round: () => dispatcher.round(stopping.signal),
    /** The attempt ends, and what follows has been done. */
    async end(id: string, outcome: Outcome | Error = SUCCESS) {
      open.get(id)!(outcome);
      await new Promise(setImmediate);
    },
    /** The table shows that the delivery has ended. */
    apply(id: string) {
      const { lane } = table.get(id)!;
      table.delete(id);
      dispatcher.applied([{ id, lane }], false);
    },
  };
}

const lane = (name: string, count: number, more: Partial<Waiting> = {}): Waiting[] =>
  Array.from({ length: count }, (_, no) => ({ id: `${name}${no}`, lane: name, ...more }));

test('an attempt is not repeated before the table shows its outcome', async () => {
  const { round, end, apply, started, dispatcher } = setUp(...lane('a', 5));
  await round();
  await end('a0');
  dispatcher.applied([], true);
  await round();
  expect(started).toEqual(['a0', 'a1', 'a2', 'a3']);
  apply('a0');
  await round();
  expect(started).toEqual(['a0', 'a1', 'a2', 'a3', 'a4']);
});

test('the table may show an outcome before its recording returns', async () => {
  const { round, end, apply, started, table } = setUp(...lane('a', 4));
  await round();
  apply('a0');
  await end('a0');
  table.set('a9', { id: 'a9', lane: 'a' });
  table.set('a8', { id: 'a8', lane: 'a' });
  apply('a1');
  await end('a1');
  await round();
  expect(started).toEqual(['a0', 'a1', 'a2', 'a3', 'a9', 'a8']);
});

test('the lead is lost between an attempt and its row, and found again: the lane is not blocked', async () => {
  const { dispatcher, round, end, started, table } = setUp(...lane('a', 1, { isFailing: true }));
  await round();
  await end('a0');
  // Another leader applied its event and sent the rest.
  table.delete('a0');
  table.set('a1', { id: 'a1', lane: 'a', isFailing: true });
  dispatcher.forget();
  await round();
  expect(started).toEqual(['a0', 'a1']);
});

test('an attempt that was made under an earlier lead frees its lane when it ends', async () => {
  const { dispatcher, round, end, started, table } = setUp(...lane('a', 1, { isFailing: true }));
  await round();
  dispatcher.forget();
  await end('a0');
  table.delete('a0');
  table.set('a1', { id: 'a1', lane: 'a', isFailing: true });
  dispatcher.applied([], true);
  await round();
  expect(started).toEqual(['a0', 'a1']);
});

test('one that is still under way is not made twice, although another process reported it', async () => {
  const { dispatcher, round, started } = setUp(...lane('a', 1));
  await round();
  dispatcher.applied([{ id: 'a0', lane: 'a' }], false);
  await round();
  expect(started).toEqual(['a0']);
});

test('the outcome of an attempt outlives an outage: the receiver gets nothing twice', async () => {
  const { round, end, commands, failures, started } = setUp(...lane('a', 1));
  await round();
  failures.push(new Unavailable('postgres', 'away'), new Unavailable('postgres', 'away'));
  await end('a0');
  await eventually(() => expect(commands).toHaveLength(3));
  expect(started).toEqual(['a0']);
});

test('the end of the process ends the wait for an outage', async () => {
  const { dispatcher, stopping, end, failures, started } = setUp(...lane('a', 1));
  const running = dispatcher.run(() => true, stopping.signal);
  await eventually(() => expect(started).toEqual(['a0']));
  failures.push(...Array.from({ length: 100 }, () => new Unavailable('postgres', 'away')));
  await end('a0');
  stopping.abort();
  await running;
});

test('what another process has recorded first is not sent again before the table shows it', async () => {
  const { round, end, positions, started, clock } = setUp(...lane('a', 1));
  positions.push(null);
  await round();
  await end('a0');
  await round();
  expect(started).toEqual(['a0']);
  // Its event has been passed by; the table is right.
  clock.ms += 1_000;
  await round();
  expect(started).toEqual(['a0', 'a0']);
});

test('a delivery that cannot be sent because of a fault is reported, and holds up no other', async () => {
  const { round, end, errors, started, dispatcher } = setUp(...lane('a', 6));
  await round();
  for (const id of ['a0', 'a1', 'a2', 'a3']) await end(id, new Error('a bug'));
  expect(errors).toHaveLength(4);
  dispatcher.applied([], true);
  await round();
  expect(started).toEqual(['a0', 'a1', 'a2', 'a3', 'a4', 'a5']);
});

test('an outage while an attempt is prepared is no fault', async () => {
  const { round, end, errors, started, dispatcher } = setUp(...lane('a', 1));
  await round();
  await end('a0', new Unavailable('postgres', 'away'));
  dispatcher.applied([], true);
  await round();
  expect([errors.length, started]).toEqual([0, ['a0', 'a0']]);
});

test('an erased owner: the delivery is abandoned', async () => {
  const { round, end, commands } = setUp(...lane('a', 1));
  await round();
  await end('a0', 'erased');
  expect(commands).toMatchObject([{ type: 'AbandonDelivery', deliveryId: 'a0', reason: 'erased' }]);
});

test('the end of the process stops attempts, and records nothing of them', async () => {
  const { dispatcher, stopping, commands, started } = setUp(...lane('a', 4), ...lane('b', 4));
  const running = dispatcher.run(() => true, stopping.signal);
  await eventually(() => expect(started).toHaveLength(8));
  stopping.abort();
  await running;
  expect(commands).toEqual([]);
});

test('who does not lead does nothing', async () => {
  const { dispatcher, stopping, queries } = setUp(...lane('a', 1));
  let looks = 0;
  const running = dispatcher.run(() => (looks += 1) < 0, stopping.signal);
  dispatcher.applied([{ id: 'a0', lane: 'a' }], false);
  await eventually(() => expect(looks).toBeGreaterThan(1));
  stopping.abort();
  await running;
  expect(queries).toEqual([]);
});

test('a change leads to a look at its lane only', async () => {
  const { round, queries, checks, table, dispatcher, started } = setUp();
  await round();
  expect(queries).toEqual(['all']);
  for (const id of ['a0', 'b0']) table.set(id, { id, lane: id[0]! });
  dispatcher.applied([{ id: 'a0', lane: 'a' }], false);
  await round();
  expect([queries, started, checks]).toEqual([['all', 'a'], ['a0'], [1]]);
  // Its lane is not known.
  dispatcher.applied([{ id: 'b0', lane: null }], false);
  await round();
  expect([queries, started]).toEqual([
    ['all', 'a', 'all'],
    ['a0', 'b0'],
  ]);
});

test('while nothing waits, nothing is asked', async () => {
  const { round, queries } = setUp();
  await round();
  for (let no = 0; no < 10; no += 1) await round();
  expect(queries).toEqual(['all']);
});

test('a look that fails is repeated', async () => {
  const { round, failures, started } = setUp(...lane('a', 1));
  failures.push(new Unavailable('postgres', 'away'));
  await expect(round()).rejects.toThrow('away');
  await round();
  expect(started).toEqual(['a0']);
});

test('who was refused for others comes first when there is room', async () => {
  const owners = Array.from({ length: 16 }, (_, no) => lane(`hung${no} `, 4, { ownerId: 'one' })).flat();
  const { round, end, apply, started } = setUp(...owners);
  await round();
  expect(started).toHaveLength(16);
  await end('hung0 0');
  apply('hung0 0');
  await round();
  expect(started.slice(16)).toEqual(['hung4 0']);
});

test('a receiver that was slow leaves room for the other receivers of its user', async () => {
  const slow: AttemptOutcome = { delivered: true, statusCode: 200, durationMs: 9_000 };
  const lanes = ['a', 'b', 'c', 'd'].map((name) => lane(name, 40, { ownerId: 'one' }));
  const { round, end, apply, started, table } = setUp(...lanes.flat());
  await round();
  const first = started.slice();
  expect(first).toHaveLength(16);
  for (const id of first) {
    await end(id, slow);
    apply(id);
  }
  await round();
  expect(started).toHaveLength(16 + 12);
  for (const one of lane('quick', 10, { ownerId: 'one' })) table.set(one.id, one);
  table.set('first', { id: 'first', lane: 'quick', ownerId: 'one' });
  apply('first');
  await round();
  expect(started.slice(28)).toEqual(['quick0', 'quick1', 'quick2', 'quick3']);
});

test('retries are found each second, and webhooks checked every five', async () => {
  const { round, queries, checks, clock } = setUp(...lane('a', 9));
  for (; clock.ms < 10_000; clock.ms += 250) await round();
  expect([queries.length, checks.length]).toEqual([10, 2]);
});
