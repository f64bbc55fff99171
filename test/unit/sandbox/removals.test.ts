import { Removals, REMOVALS_MAX } from '../../../src/sandbox/removals.js';

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending');
  const nextTurn = new Promise((resolve) => setImmediate(resolve, pending));
  return (await Promise.race([promise, nextTurn])) === pending;
};

describe('container removals', () => {
  let removals: Removals;
  let end: (() => void)[];

  const begin = (name: string): void => {
    const { promise, resolve } = Promise.withResolvers<void>();
    end.push(resolve);
    removals.add(name, promise);
  };

  beforeEach(() => {
    removals = new Removals();
    end = [];
  });

  it('include a container until it is gone', async () => {
    begin('a');
    expect(removals.has('a')).toBe(true);
    expect(await isPending(removals.idle())).toBe(true);
    end[0]!();
    await removals.idle();
    expect(removals.has('a')).toBe(false);
  });

  it('block new cells at the maximum, until one removal ends', async () => {
    for (let number = 1; number < REMOVALS_MAX; number += 1) begin(`${number}`);
    await removals.untilBelowMax();
    begin('last');
    const room = removals.untilBelowMax();
    expect(await isPending(room)).toBe(true);
    end[3]!();
    await room;
  });
});
