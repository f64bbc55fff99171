import type { Delivery } from '../../../src/event-sourcing/core/event.js';
import { canAllWait, coalescedBatch } from '../../../src/event-sourcing/subscription/coalesced-batch.js';
import { Wakeup } from '../../../src/platform/async/wakeup.js';

const A_MINUTE_MS = 60_000;
const PATIENT = 'patient';

const delivery = (type: string): Delivery => ({ event: { type } }) as unknown as Delivery;
const [patient, urgent] = [delivery(PATIENT), delivery('urgent')];

describe('a coalesced batch', () => {
  let wakeup: Wakeup;
  let arrived: Delivery[];
  let stop: AbortController;

  beforeEach(() => {
    wakeup = new Wakeup();
    arrived = [];
    stop = new AbortController();
  });

  const arrive = (...deliveries: Delivery[]): void => {
    arrived.push(...deliveries);
    wakeup.wake();
  };
  const next = (
    coalesceMs = A_MINUTE_MS,
    beforeWait: (batch: readonly Delivery[]) => Promise<boolean> = () => Promise.resolve(true),
  ) =>
    coalescedBatch({
      beforeWait,
      ...{ wakeup, coalesceMs, signal: stop.signal },
      nextBatch: () => Promise.resolve([...arrived]),
      canWait: (batch) => canAllWait({ canWait: ({ type }) => type === PATIENT }, batch),
    });
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  test('is not held if it is empty, or contains an event that cannot wait', async () => {
    expect(await next()).toMatchObject({ batch: [] });
    arrive(patient, urgent);
    expect(await next()).toMatchObject({ batch: [patient, urgent] });
  });

  test('is held until an event arrives that cannot wait, or for the given time', async () => {
    arrive(patient);
    const held = next();
    await nextTurn();
    arrive(patient);
    await nextTurn();
    arrive(urgent);
    expect(await held).toMatchObject({ batch: [patient, patient, urgent] });
    arrived = [patient];
    expect(await next(1)).toMatchObject({ batch: [patient] });
  });

  test('is not held if what comes before it fails', async () => {
    arrive(patient);
    expect(await next(A_MINUTE_MS, () => Promise.resolve(false))).toMatchObject({ batch: [patient] });
    const batches: (readonly Delivery[])[] = [];
    const held = next(A_MINUTE_MS, (batch) => Promise.resolve(batches.push(batch) === 1));
    await nextTurn();
    arrive(patient);
    expect(await held).toMatchObject({ batch: [patient, patient] });
    expect(batches).toEqual([[patient], [patient, patient]]);
  });

  test('keeps what it holds if the delivery is interrupted', async () => {
    arrive(patient);
    const held = next();
    await nextTurn();
    arrived = [];
    wakeup.wake();
    expect(await held).toMatchObject({ batch: [patient] });
  });

  test('is given up when the leader stops', async () => {
    arrive(patient);
    const held = next();
    await nextTurn();
    stop.abort();
    expect(await held).toMatchObject({ batch: [] });
  });
});

describe('all events of a batch can wait', () => {
  const canWait = ({ type }: { type: string }): boolean => type === PATIENT;
  const concerns = ({ type }: { type: string }): boolean => type !== 'elsewhere';
  const elsewhere = delivery('elsewhere');

  test.each<[string, Delivery[], boolean]>([
    ['with events that do not concern the handler', [elsewhere, patient, elsewhere], true],
    ['but not of those alone, which cause no statement', [elsewhere, elsewhere], false],
    ['but not if one is urgent', [patient, urgent], false],
    ['but not in a large batch', Array<Delivery>(21).fill(patient), false],
  ])('%s', (_, batch, expected) => {
    expect(canAllWait({ canWait, concerns }, batch)).toBe(expected);
  });

  test('but not if the handler names none, or one cannot be read', () => {
    expect(canAllWait({ concerns }, [patient])).toBe(false);
    const unreadable = () => {
      throw new Error('cannot be upcast');
    };
    expect(canAllWait({ canWait: unreadable }, [patient])).toBe(false);
  });
});
