import type { Delivery } from '../../../src/event-sourcing/core/event.js';
import { BatchApplier, type BatchApplierOptions } from '../../../src/event-sourcing/subscription/batch-applier.js';
import { silentLog } from '../../../src/platform/telemetry/log.js';

const delivery = (position: bigint, id = 'well'): Delivery =>
  ({ event: { position, stream: { type: 'execution', id }, data: {} } }) as unknown as Delivery;
const { signal } = new AbortController();

/** An applier without Postgres, and for each call of the handler: which events, and up to where effects had run. */
function setUp(fails = (): boolean => false) {
  const calls: [bigint[], bigint][] = [];
  const moved = (_: unknown, to: unknown) => Promise.resolve(to);
  const options = {
    ...{ name: 'orchestrator', log: silentLog, parked: {} },
    checkpoints: { move: moved, moveWith: moved },
    handler: {
      runEffects: (deliveries: readonly Delivery[], _: AbortSignal, ranUpTo: bigint) => {
        if (fails()) return Promise.reject(new Error('away'));
        calls.push([deliveries.map(({ event }) => event.position), ranUpTo]);
        return Promise.resolve();
      },
    },
  };
  const applier = new BatchApplier(options as unknown as BatchApplierOptions, {
    position: 0n,
    epoch: 1,
    generation: 1,
  });
  return { applier, calls };
}

test('effects that ran ahead are not repeated', async () => {
  const { applier, calls } = setUp();
  expect(await applier.runAhead([delivery(1n)], signal)).toBe(true);
  expect(await applier.runAhead([delivery(1n)], signal)).toBe(true);
  await applier.apply([delivery(1n), delivery(2n)], signal);
  expect(calls).toEqual([
    [[1n], 0n],
    [[1n, 2n], 1n],
  ]);
});

test('effects that failed run with the batch', async () => {
  let fails = true;
  const { applier, calls } = setUp(() => fails);
  expect(await applier.runAhead([delivery(1n)], signal)).toBe(false);
  fails = false;
  await applier.apply([delivery(1n)], signal);
  expect(calls).toEqual([[[1n], 0n]]);
});

test('a redrive runs all effects of its stream, although later events of others were held', async () => {
  const { applier, calls } = setUp();
  applier.skip(['sick']);
  await applier.runAhead([delivery(1n, 'sick'), delivery(2n)], signal);
  await applier.refold([delivery(1n, 'sick')], signal, () => Promise.resolve());
  expect(calls).toEqual([
    [[2n], 0n],
    [[1n], 0n],
  ]);
});

test('a stream that is no longer skipped has its effects, although a later event of another was held', async () => {
  const { applier, calls } = setUp();
  applier.skip(['sick']);
  const batch = [delivery(1n, 'sick'), delivery(2n)];
  await applier.runAhead(batch, signal);
  applier.skip(['sick']);
  await applier.runAhead(batch, signal);
  applier.skip([]);
  await applier.apply(batch, signal);
  expect(calls).toEqual([
    [[2n], 0n],
    [[1n, 2n], 0n],
  ]);
});
